"""What needs a lesson or a link of the chain to stay. Other parts of the product say so from outside."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.models import DraftStateMixin

# What of the caller's needs a row: one text each, for people. By name: the caller keeps its slug.
Uses = Callable[[Any], Iterable[str]]

_by_name: list[Uses] = []
_by_key: list[Uses] = []


class InUse(ValidationError):
    """The row is needed; the text lists by what."""


def register(uses: Uses, *, by_name: bool) -> None:
    """Ask `uses` before a row is unpublished or deleted, and, if `by_name`, before its slug changes."""
    registered = _by_name if by_name else _by_key
    if uses not in registered:
        registered.append(uses)


def uses_of(row: Any, *, only_by_name: bool = False) -> list[str]:
    """Everything that needs this row, as texts."""
    askers = _by_name if only_by_name else [*_by_name, *_by_key]
    return [text for uses in askers for text in uses(row)]


def refuse_if_used(row: Any, field: str = "", *, only_by_name: bool = False) -> None:
    """Raises `InUse` naming every use, beside the form's `field` if given."""
    found = uses_of(row, only_by_name=only_by_name)
    if found:
        words = _("This is in use, so it has to stay: %(uses)s.") % {"uses": "; ".join(found)}
        raise InUse({field: words} if field else words)


class StaysWhileUsed(DraftStateMixin):
    """A row with drafts and a `slug`. While used it is neither unpublished, deleted nor renamed."""

    class Meta:
        abstract = True

    def stored_slug(self) -> str | None:
        """The slug that others know the row by; None for a new one."""
        slug: str | None = type(self).objects.filter(pk=self.pk).values_list("slug", flat=True).first()
        return slug

    def refuse_another_slug(self) -> None:
        """Raises `InUse` beside the field where the slug changes and somebody keeps the old one."""
        stored = self.stored_slug()
        if stored is not None and stored != self.slug:
            refuse_if_used(type(self)(pk=self.pk, slug=stored), "slug", only_by_name=True)

    def unpublish(self, set_expired: bool = False, commit: bool = True, **options: Any) -> None:
        """Raises `InUse` while it is needed. When its time is over it waits until it is not."""
        if not set_expired:
            refuse_if_used(self)
        elif uses_of(self):
            return
        super().unpublish(set_expired=set_expired, commit=commit, **options)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises `InUse` while somebody keeps its slug; the database refuses for those who keep its key."""
        refuse_if_used(self, only_by_name=True)
        return super().delete(*args, **kwargs)
