"""Limits of control groups on this process: processors and memory.

Versions 1 and 2, and every group above that of the process: the smallest limit counts.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
MIB = 2**20


def limits(root: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> dict[str, float | None]:
    """Processors (quota through period) and memory [MiB]; None: not limited."""
    text = own.read_text() if own.exists() else ""
    cpus = [found for each in folders(root, text, "cpu") if (found := _cpus(each))]
    memory = [found for each in folders(root, text, "memory") if (found := _memory(each))]
    return {"cpus": min(cpus, default=None), "memory_mib": min(memory, default=None)}


def folders(root: Path, text: str, controller: str) -> Iterator[Path]:
    """Folders of a controller for this process, from /proc/self/cgroup; its own group first.

    A line is `number:controllers:path`; version 2 names no controllers (cgroups(7)).
    """
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = root / controller if names else root
        inner = PurePosixPath(path.lstrip("/"))
        yield from (top / each for each in (inner, *inner.parents))


def _cpus(folder: Path) -> float | None:
    if (file := folder / "cpu.max").exists():
        quota, period = file.read_text().split()
        return None if quota == "max" else round(int(quota) / int(period), 2)
    file = folder / "cpu.cfs_quota_us"
    quota = file.read_text().strip() if file.exists() else "-1"
    if quota == "-1":
        return None
    return round(int(quota) / int((folder / "cpu.cfs_period_us").read_text()), 2)


def _memory(folder: Path) -> float | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        if (file := folder / name).exists():
            limit = file.read_text().strip()
            # In version 1 "no limit" is the largest number of pages.
            return None if limit == "max" or int(limit) >= 2**62 else int(limit) // MIB
    return None
