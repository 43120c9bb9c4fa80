"""Memory used by a process, as the kernel counts it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """In KiB (1024 bytes)."""

    pss: int  # its private pages, and its share of shared pages
    private: int  # its private pages only


def memory_of(pid: int) -> Memory:
    """Memory of process `pid` now.

    Raises:
        OSError: the process has ended.
    """
    return parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_rollup(text: str) -> Memory:
    """From /proc/PID/smaps_rollup (proc(5)); the first line is the address range."""
    words = (line.split() for line in text.splitlines()[1:])
    found: Mapping[str, int] = {name: int(kib) for name, kib, _ in words}
    return Memory(found["Pss:"], found["Private_Clean:"] + found["Private_Dirty:"])
