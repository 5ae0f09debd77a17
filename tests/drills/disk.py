"""A disk of its own for a Postgres, which can be full. Mounting one takes root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

ROOM: Final = "2g"
TRIES: Final = 50


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """From now on no file gets a block more: the disk is as large as what lies on it."""
        # It may grow between the look and the act, and cannot be smaller than what lies on it.
        for _try in range(TRIES):
            seen = os.statvfs(self.folder)
            if self._resize(str((seen.f_blocks - seen.f_bfree) * seen.f_frsize)).returncode == 0:
                return
        raise RuntimeError("the disk grows faster than it can be made small")

    def clear(self) -> None:
        self._resize(ROOM).check_returncode()

    def _resize(self, size: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], capture_output=True)


@contextmanager
def small_disk() -> Iterator[Disk | None]:
    """None where nothing can be mounted."""
    folder = Path(mkdtemp(prefix="footing-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0711", "footing-drill", str(folder)]
    try:
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            yield None
            return
        try:
            yield Disk(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()
