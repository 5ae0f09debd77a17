"""A clock that can be put wrong: for the processes that are started with it, as the machine's own would be.

Only the time of day moves, as with a machine's clock that is set: what measures how long something takes
(`CLOCK_MONOTONIC`) does not. It needs a C compiler, for a library of some lines that is loaded first.
"""

import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from clinic.database import can_run, copied, find_binaries

# Reads how far to put the time of day off from the file that SHIFTED_CLOCK names: one number of seconds.
LIBRARY: Final = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void find_shift(void) {
    const char *name = getenv("SHIFTED_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) shift = page;
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, which, now);
    int is_day = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
    if (!failed && shift && is_day) now->tv_sec += *shift;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec at;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &at)) return -1;
    now->tv_sec = at.tv_sec;
    now->tv_usec = at.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}
"""


class Clock:
    """environment: what a process needs to go by this clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "shift"
        self.put_off(hours=0)
        (folder / "clock.c").write_text(LIBRARY)
        self.library = folder / "clock.so"
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(self.library), str(folder / "clock.c")]
        subprocess.run(command, check=True)
        self.environment = {"LD_PRELOAD": str(self.library), "SHIFTED_CLOCK": str(self.file)}

    def put_off(self, *, hours: int) -> None:
        """At once, for every process that goes by it."""
        with self.file.open("r+b" if self.file.exists() else "w+b") as file:
            file.write(struct.pack("q", hours * 3600))

    def programs(self) -> Path:
        """A folder of Postgres's programs whose server goes by this clock."""
        real = find_binaries()
        if not can_run(real.folder / "postgres"):
            real = copied(real)
        folder = self.folder / "bin"
        folder.mkdir()
        for program in real.folder.iterdir():
            if program.name != "postgres":
                (folder / program.name).symlink_to(program)
        server = folder / "postgres"
        words = " ".join(f"{name}={value}" for name, value in self.environment.items())
        server.write_text(f'#!/bin/sh\nexec env {words} {real.folder / "postgres"} "$@"\n')
        server.chmod(server.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return folder


@contextmanager
def shifted_clock() -> Iterator[Clock | None]:
    """None where there is no compiler to make it with. What it needs lies where any account may read it."""
    if shutil.which("cc") is None:
        yield None
        return
    folder = Path(mkdtemp(prefix="footing-clock-"))
    before = os.environ.get("PG_BIN_DIR")
    try:
        folder.chmod(0o755)
        clock = Clock(folder)
        os.environ["PG_BIN_DIR"] = str(clock.programs())
        yield clock
    finally:
        os.environ.pop("PG_BIN_DIR", None)
        if before is not None:
            os.environ["PG_BIN_DIR"] = before
        shutil.rmtree(folder)
