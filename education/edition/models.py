"""The mark of what the library says now. Triggers of every table that pages quote from set a new one."""

import uuid
from collections.abc import Collection
from typing import Final

import pgtrigger
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

# The attribute of a request whose view knows the mark already.
EDITION: Final = "edition"


class Edition(models.Model):
    """One row, written by the SQL function `education_new_edition` (first migration) and by nothing else.

    `mark` says nothing but "same" or "not the same". It is drawn anew each time, so neither a rollback nor a
    restored backup brings back a mark under which something else was read.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    mark = models.UUIDField(_("mark"), default=uuid.uuid4, editable=False)

    class Meta:
        verbose_name = _("edition of the library")
        verbose_name_plural = _("editions of the library")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="education_edition_single_row"),
        ]

    def __str__(self) -> str:
        return str(self.mark)

    @staticmethod
    def current() -> uuid.UUID | None:
        """The mark of what is committed now; None where nothing was ever written. One query.

        Raises `OperationalError` while the database is away.
        """
        # By hand: the ORM takes longer to make this statement than the whole page does to be found.
        with connection.cursor() as cursor:
            cursor.execute("SELECT mark FROM education_edition")
            row = cursor.fetchone()
        return row[0] if row else None


_NEW_EDITION: Final = "PERFORM education_new_edition(); RETURN NULL;"


def new_edition(model: type[models.Model], *, unread: Collection[str] = ()) -> None:
    """Whatever writes to the model's table sets a new mark, but for updates of its `unread` fields alone.

    Before the statement: whoever waits for another writer then holds no row of the library that the other
    may still want.
    """
    update: pgtrigger.Operation = pgtrigger.Update
    if unread:
        read = [field.column for field in model._meta.local_concrete_fields if field.name not in unread]
        update = pgtrigger.UpdateOf(*read)  # type: ignore[no-untyped-call]  # the library left it untyped
    pgtrigger.register(
        pgtrigger.Trigger(
            name="new_edition",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | update | pgtrigger.Delete | pgtrigger.Truncate,
            func=_NEW_EDITION,
        )
    )(model)
