"""What a process takes of the machine's memory, as the kernel adds it up."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """In KiB (1024 bytes)."""

    pss: int  # its own pages, and of those it shares its part
    private: int  # its own alone


def memory_of(pid: int) -> Memory:
    """What process `pid` takes now.

    Raises:
        OSError: it is gone.
    """
    return parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_rollup(text: str) -> Memory:
    """From /proc/PID/smaps_rollup (proc(5)); its first line is the range of addresses."""
    words = (line.split() for line in text.splitlines()[1:])
    found: Mapping[str, int] = {name: int(kib) for name, kib, _ in words}
    return Memory(found["Pss:"], found["Private_Clean:"] + found["Private_Dirty:"])
