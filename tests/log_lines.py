"""What the product would have logged, through its own handlers and filters."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Everything the configured handlers write meanwhile. pytest's own handlers are not among them."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    handlers = {
        handler for logger in loggers for handler in logger.handlers if type(handler) is logging.StreamHandler
    }
    written = io.StringIO()
    before = {handler: handler.setStream(written) for handler in handlers}
    try:
        yield written
    finally:
        for handler, stream in before.items():
            handler.setStream(stream or handler.stream)
