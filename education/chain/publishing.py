"""What publishing needs to know of rows that a release wrote, not an editor."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models.functions import Cast
from django.utils import timezone
from wagtail.log_actions import log as log_action
from wagtail.models import DraftStateMixin, ModelLogEntry, Revision

log = logging.getLogger(__name__)

# What the history calls a revision that a release wrote.
SHIPPED: Final = "education.ship"


class NotAllPublished(Exception):
    """Some of what was due could not be published or taken down; the text says how many. The rest was."""


def remember(row: Any) -> None:
    """Make a revision of what a release wrote, unless an editor has a draft of it in hand.

    With it the history begins with what was shipped, from where it can be brought back, two editors who open
    the row learn of each other, and readers keep what they see until a scheduled revision is due.
    """
    if row.has_unpublished_changes:
        return
    row.live_revision = row.save_revision(clean=False, changed=False)
    type(row).objects.filter(pk=row.pk).update(live_revision=row.live_revision)
    tell(row, row.live_revision)


def tell(row: Any, revision: Revision) -> None:
    """List this revision in the row's history as what a release shipped."""
    log_action(row, SHIPPED, revision=revision, content_changed=True, timestamp=revision.created_at)


def untold(model: type[models.Model]) -> Any:
    """Revisions of this table that nobody signed and no history lists, as a query."""
    listed = ModelLogEntry.objects.filter(revision=models.OuterRef("pk"))
    return Revision.objects.filter(
        ~models.Exists(listed),
        user=None,
        base_content_type__app_label=model._meta.app_label,
        base_content_type__model=model._meta.model_name,
    )


def without_history(model: type[models.Model]) -> Any:
    """Rows of this table whose history does not show all that releases shipped, as a query."""
    of_row = untold(model).filter(object_id=Cast(models.OuterRef("pk"), models.CharField()))
    return model._default_manager.filter(
        models.Q(live=True, latest_revision=None) | models.Q(models.Exists(of_row))
    )


def scheduled(model: type[models.Model]) -> Any:
    """Drafts of this table that wait for their time, as a query."""
    kind = ContentType.objects.get_for_model(model)
    return Revision.objects.filter(base_content_type=kind, approved_go_live_at__isnull=False)


def publish_due() -> None:
    """Publish what was scheduled for a time that has come, and take down what was to end.

    Each by itself, so that one that cannot be, such as for an address that another took meanwhile, holds up
    nothing; it stays due. Raises `NotAllPublished` at the end.
    """
    now = timezone.now()
    failed = 0
    for model in apps.get_models():
        if issubclass(model, DraftStateMixin):
            for row in model._default_manager.filter(live=True, expire_at__lt=now).order_by("expire_at"):
                failed += not _done(row, partial(_take_down, row))
    for revision in Revision.objects.filter(approved_go_live_at__lt=now).order_by("approved_go_live_at"):
        failed += not _done(revision, partial(_publish, revision))
    if failed:
        raise NotAllPublished(f"{failed} of what was due stays as it was")


def _take_down(row: Any) -> None:
    row.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")


def _publish(revision: Revision) -> None:
    revision.publish(log_action="wagtail.publish.scheduled")


def _done(row: Any, do: Callable[[], None]) -> bool:
    """Do it whole or not at all. False, with a line in the log, where it cannot be done."""
    try:
        with transaction.atomic():
            do()
    except Exception:
        log.exception("%s %s was due and could not be done", type(row).__name__, row.pk)
        return False
    return True
