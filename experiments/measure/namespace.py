"""Runs functions in the network namespaces of a lab without starting a process there.

A separate thread enters them one after the other and then ends.  The program stays in its own
namespace, and no descriptor is left that would keep a namespace of the lab alive.
"""

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CLONE_NEWNET = 0x40000000  # linux/sched.h
Key = TypeVar("Key")
Seen = TypeVar("Seen")


def look_into(pids: Mapping[Key, int], look: Callable[[int], Seen]) -> dict[Key, Seen]:
    """The result of `look` for each process, called in the network namespace of that process.

    Raises:
        OSError: a process has ended, or the kernel refused.
    """

    def inside(pid: int) -> Seen:
        descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # os.setns exists since Python 3.12.
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, CLONE_NEWNET):
                error = ctypes.get_errno()
                raise OSError(error, f"setns: {os.strerror(error)}")
        finally:
            os.close(descriptor)
        return look(pid)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: {key: inside(pid) for key, pid in pids.items()}).result()
