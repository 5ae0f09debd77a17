"""Settings of the product as production serves it, its collected files in a folder of the bench.

`BENCH_ROLE` is how its connections call themselves, so that the backends of each server can be told apart.
"""

import os

from clinic.settings import *  # noqa: F403 - settings are handed on whole
from clinic.settings import DATABASES, LOCAL_DIR

STATIC_ROOT = LOCAL_DIR / "bench" / "static"
DATABASES["default"]["OPTIONS"]["application_name"] = os.environ.get("BENCH_ROLE", "footing")
