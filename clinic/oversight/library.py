"""The library's events as lines of the trail: the library tells them and does not know who listens."""

from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from wagtail.log_actions import get_active_log_context
from wagtail.signals import published, unpublished

from education.chain.models import ChainLink
from education.clinic_info import witness
from education.lessons.models import Lesson
from intake import audit

KINDS: Final = {Lesson: "lesson", ChainLink: "chain-link"}


def listen() -> None:
    """From now on. The editor's own signals are told for every way of publishing, by schedule too."""
    witness.register(write)
    # A weak receiver would vanish.
    published.connect(on_published, weak=False, dispatch_uid="library trail")
    unpublished.connect(on_unpublished, weak=False, dispatch_uid="library trail")


def write(event: str, by: Any, objects: dict[str, list[object]], detail: dict[str, Any]) -> None:
    """One line. Who did it: as told, or whoever is at work in the lessons' editor, or a command."""
    user = by or get_active_log_context().user
    actor = audit.staff(user) if isinstance(user, AbstractBaseUser) else audit.system("library")
    with audit.audited(event, by=actor, **detail) as access:
        for kind, keys in objects.items():
            access.saw(kind, keys)


def on_published(sender: Any, instance: Any, revision: Any, **kwargs: Any) -> None:
    if sender in KINDS:
        write("library.published", None, {KINDS[sender]: [instance.pk]}, {"revision": revision.pk})


def on_unpublished(sender: Any, instance: Any, **kwargs: Any) -> None:
    if sender in KINDS:
        write("library.unpublished", None, {KINDS[sender]: [instance.pk]}, {})
