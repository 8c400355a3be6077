"""How many processors this process may use, by its affinity and its control group."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def cores(cgroup: Path = CGROUP) -> int:
    """Return the number of processors that may be used, a share of one counted as one.

    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files and, for v1, sched-bwc.html
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(there, quota(cgroup))))


def quota(cgroup: Path) -> float:
    """Return how many processors' time the control group may use; infinity where there is no limit."""
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            limit, period = " ".join((cgroup / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return int(limit) / int(period) if limit not in ("max", "-1") else math.inf
    return math.inf
