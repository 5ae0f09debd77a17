"""Settings of the product as production serves it, its collected files in a folder of the bench."""

from clinic.settings import *  # noqa: F403 - settings are handed on whole
from clinic.settings import LOCAL_DIR

STATIC_ROOT = LOCAL_DIR / "bench" / "static"
