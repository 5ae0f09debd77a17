"""What needs a lesson or a link of the chain to stay. Other parts of the product say so from outside."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from wagtail.models import DraftStateMixin

# What of the caller's needs a row: one text each, for people. By name: the caller keeps its slug.
Uses = Callable[[Any], Iterable[str]]

KEEP_THEIR_WORDS: Final = ("Issue",)

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


def lists_that_name(row: models.Model) -> Iterator[tuple[models.Model, str]]:
    """Rows that name this one in a list of theirs, with what the list is called.

    The database would take it off those lists without a word. Issues of the newsletter do not count: what
    was sent keeps its words.
    """
    for relation in row._meta.related_objects:
        if relation.many_to_many and relation.related_model.__name__ not in KEEP_THEIR_WORDS:
            rows = relation.related_model._default_manager.filter(**{relation.field.name: row.pk})
            yield from ((other, str(relation.field.verbose_name)) for other in rows)


def list_uses(row: models.Model) -> list[str]:
    """`lists_that_name` as texts, each row once."""
    return list(
        dict.fromkeys(
            _("%(kind)s “%(row)s”") % {"kind": other._meta.verbose_name, "row": other}
            for other, _list in lists_that_name(row)
        )
    )


def refuse_if_used(row: Any, field: str = "", *, only_by_name: bool = False) -> None:
    """Raises `InUse` naming every use, beside the form's `field` if given."""
    found = uses_of(row, only_by_name=only_by_name)
    if found:
        words = _("This is in use, so it has to stay: %(uses)s.") % {"uses": "; ".join(found)}
        raise InUse({field: words} if field else words)


class StaysWhileUsed(DraftStateMixin):
    """A row with drafts and a `slug`. While used it is neither unpublished nor deleted."""

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
