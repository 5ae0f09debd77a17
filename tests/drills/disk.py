"""A disk of its own for a Postgres, which can be full. Mounting one takes root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

ROOM = "2g"


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """From now on no file gets a block more: the disk is as large as what lies on it."""
        seen = os.statvfs(self.folder)
        self._resize(str((seen.f_blocks - seen.f_bfree) * seen.f_frsize))

    def clear(self) -> None:
        self._resize(ROOM)

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)


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
