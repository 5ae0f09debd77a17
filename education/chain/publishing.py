"""What publishing needs to know of rows that a release wrote, not an editor."""

from typing import Any

from django.core.management import call_command


def remember(row: Any) -> None:
    """Make a revision of what a release wrote, unless an editor has a draft of it in hand.

    With it the history begins with what was shipped, two editors who open the row learn of each other,
    and readers keep what they see until a scheduled revision is due.
    """
    if row.has_unpublished_changes:
        return
    row.live_revision = row.save_revision(clean=False, changed=False)
    type(row).objects.filter(pk=row.pk).update(live_revision=row.live_revision)


def publish_due() -> None:
    """Publish what was scheduled for a time that has come, and take down what was to end."""
    call_command("publish_scheduled")
