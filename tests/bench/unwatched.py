"""The product with nobody watching: no line of the trail and no guard, to measure what the two cost."""

from django.db.backends.signals import connection_created

from clinic.wsgi import application
from intake import audit

__all__ = ["application"]


def write_nothing(access: audit.Access) -> None:
    """In the place of the line."""


audit._write = write_nothing
assert connection_created.disconnect(dispatch_uid="audit guard")
