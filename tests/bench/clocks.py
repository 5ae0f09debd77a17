"""CPU seconds of other processes, to the nanosecond. Linux only: `/proc` counts in hundredths of a second."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

Reading = Mapping[int, float]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all threads that it has or had. Raises `OSError` once it is gone.

    The clock's number is the process id's complement and the kernel's word for "all CPU time"
    (`clock_getcpuclockid(3)`).
    """
    return time.clock_gettime((~pid << 3) | 2)


def tree(root: int) -> list[int]:
    """A process and everything that it started."""
    found = [root]
    for pid in found:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, path.read_text().split())
    return found


def read(pids: Iterable[int]) -> Reading:
    return {pid: cpu_seconds(pid) for pid in pids}


def spent(before: Reading, after: Reading) -> float | None:
    """CPU seconds between two readings; None when a process came or went, whose share nobody knows."""
    if before.keys() != after.keys():
        return None
    return sum(after[pid] - before[pid] for pid in before)
