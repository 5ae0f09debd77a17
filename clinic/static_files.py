"""The demo's static files: served where they lie, as light as production sends them."""

import contextlib
import gzip
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Final

import brotli  # type: ignore[import-untyped]  # it ships no types
from django.conf import settings
from whitenoise.compress import Compressor  # type: ignore[import-untyped]  # the same
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # the same

# The best level takes 1.7 s for the largest file of the editor; this one 0.1 s, and its files are 8 % larger.
BROTLI: Final = 9
GZIP: Final = 9

_compressor: Final = Compressor(quiet=True)


class PackedStaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # the same
    """Packs a file when it is first asked for, and anew once it has changed.

    The packed copies lie in `.local/static`; where nothing can be written the file is sent as it is.
    """

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        if _compressor.should_compress(path) and os.path.isfile(path):
            with contextlib.suppress(OSError):
                path, stat_cache = str(packed(Path(path), settings.LOCAL_DIR / "static")), None
        return super().get_static_file(path, url, stat_cache)


def packed(path: Path, folder: Path) -> Path:
    """A copy of the file as it is now; beside it `.br` and `.gz`, where they are smaller."""
    state = path.stat()
    place = hashlib.sha256(f"{path} {state.st_mtime_ns} {state.st_size}".encode()).hexdigest()[:20]
    copy = folder / f"{place}{path.suffix}"
    if copy.exists():
        return copy
    folder.mkdir(parents=True, exist_ok=True)
    plain = path.read_bytes()
    for ending, small in (
        (".br", brotli.compress(plain, quality=BROTLI)),
        (".gz", gzip.compress(plain, GZIP, mtime=0)),
    ):
        if len(small) < len(plain):
            _write(Path(f"{copy}{ending}"), small, path)
    # Last, since it says that the others stand.
    _write(copy, plain, path)
    return copy


def _write(target: Path, content: bytes, like: Path) -> None:
    """In one step, since the other process may be reading; with the time of the file it was made from."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    fresh.write_bytes(content)
    shutil.copystat(like, fresh)
    fresh.replace(target)
