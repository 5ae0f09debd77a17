"""Django's Postgres, but for how a kept connection is asked whether it still lives (ADR 0049)."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Its name and place are what Django looks for in the package that `ENGINE` names."""

    connection: Any
    errors_occurred: bool

    def is_usable(self) -> bool:
        """Django asks this ahead of each request that meets a kept connection, and after an error.

        A server that ended has closed its end, and a line that the system gave up is an error of the socket:
        both lie there to be read without a word being sent. Only then, after an error and within a
        transaction Django's own question decides, which costs a way to the server and back.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or not self._is_idle() or self._has_something_to_read():
            return super().is_usable()
        return True

    def _is_idle(self) -> bool:
        return bool(self.connection.info.transaction_status.name == "IDLE")

    def _has_something_to_read(self) -> bool:
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN | select.POLLRDHUP)
        return bool(waiting.poll(0))
