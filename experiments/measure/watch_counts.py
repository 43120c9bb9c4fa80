"""Packets lost between two readings of the counters of the kernel and of OVS.  Pure.

Which counters are read (each was tested on a calm lab and on an overloaded one):

* AF_PACKET sockets, through which OVS reads its interfaces in user space.  An overloaded lab
  loses its packets here: of 20,000 echo requests sent in 0.2 s, 5,901 were answered, and these
  sockets counted the other 14,099; no other counter changed.
* Queueing disciplines: packets dropped by a shaper or a policer; no device counts them.
* Devices: `tx_dropped` everywhere.  `rx_dropped` only where OVS or a bridge takes every frame:
  in a guest the kernel counts each frame of a protocol without a listener there, including the
  frames of an experiment.
* The backlogs of the processors, through which every veth passes its frames.
* OVS: `lost` of its datapath (upcalls for which there was no room) and the coverage counters
  `datapath_drop_*`.  Not `drop_action_*`, which count the drops of the pipeline, and not `dropped`
  of LOCAL ports: they receive floods, but are down.

A packet too large for the underlay is not counted: the socket refuses it (EMSGSIZE).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from experiments.measure.counters import RX_DROPPED, TX_DROPPED, device_columns
from experiments.measure.netlink import Drops

Place = tuple[str, int]  # a name for people, and a number where several have that name
Counts = Mapping[Place, int]
BACKLOG: Place = ("the backlog of a processor", 0)
SOCKET, QUEUE = "the packet socket on", "the queue of"  # the beginnings of their names


@dataclass(frozen=True, slots=True)
class Discarded:
    """All packets that the kernel has dropped in one network namespace."""

    names: Mapping[int, str]  # interfaces by index
    sockets: tuple[Drops, ...]
    queues: tuple[Drops, ...]
    devices: str  # /proc/net/dev


def kernel_counts(node: str, seen: Discarded, *, is_guest: bool) -> dict[Place, int]:
    """The counters of one node that count lost packets."""
    found: dict[Place, int] = {}
    for what, drops in ((SOCKET, seen.sockets), (QUEUE, seen.queues)):
        for each in drops:
            interface = seen.names.get(each.interface, "all interfaces")
            found[f"{what} {interface} of {node}", each.key] = each.dropped
    for name, columns in device_columns(seen.devices).items():
        found[f"{name} of {node}, sending", 0] = columns[TX_DROPPED]
        if not is_guest:
            found[f"{name} of {node}, receiving", 0] = columns[RX_DROPPED]
    return found


def parse_backlog(text: str) -> int:
    """Frames that found the backlog of a processor full: column 2 of /proc/net/softnet_stat."""
    return sum(int(line.split()[1], 16) for line in text.splitlines())


def parse_lost(text: str) -> int:
    """Upcalls lost by all datapaths of `dpctl/show`.

    Raises:
        ValueError: the text has no `lookups` line.
    """
    found = re.findall(r"^\s+lookups: hit:\d+ missed:\d+ lost:(\d+)$", text, re.MULTILINE)
    if not found:
        raise ValueError(f"no `lookups` line in dpctl/show: {text[:80]!r}")
    return sum(map(int, found))


def datapath_counts(node: str, coverage: str) -> dict[Place, int]:
    """Drops of the OVS datapath from `coverage/show`; counters that are zero are absent."""
    found = re.findall(r"^datapath_drop_(\w+) .* total: (\d+)$", coverage, re.MULTILINE)
    return {
        (f"the datapath of {node} ({name.replace('_', ' ')})", 0): int(total)
        for name, total in found
    }


def added(before: Counts, after: Counts) -> dict[str, int]:
    """Packets lost by each place between two readings, most first; a new place began at zero."""
    found: Counter[str] = Counter()
    for place, count in after.items():
        found[place[0]] += max(count - before.get(place, 0), 0)
    return dict(sorted((+found).items(), key=lambda each: (-each[1], each[0])))


def overflows(lost: Mapping[str, int]) -> dict[str, int]:
    """The losses that are due to a full buffer: whoever empties it had no processor in time.

    Devices count frames that they refuse for other reasons too, as a bridge that has no port.
    """
    return {
        place: count
        for place, count in lost.items()
        if place.startswith((SOCKET, QUEUE, BACKLOG[0]))
    }


def without_double_count(lost: Mapping[str, int]) -> dict[str, int]:
    """Without the part of the backlog that devices have counted too."""
    counted = sum(count for place, count in lost.items() if place.endswith(", receiving"))
    rest = dict(lost)
    left = rest.pop(BACKLOG[0], 0) - counted
    return {**rest, BACKLOG[0]: left} if left > 0 else rest


def parse_cpu(stat: str) -> tuple[int, ...]:
    """The ticks of all processors together, in the order of proc(5).

    User, nice, system, idle, iowait, irq, softirq, steal; guest time is part of the first two.
    """
    return tuple(int(field) for field in stat.split("\n", 1)[0].split()[1:9])


def cpu_fractions(before: Iterable[int], after: Iterable[int]) -> dict[str, float] | None:
    """Shares of the ticks between two readings; None without a tick.  iowait counts as idle."""
    # iowait and steal may decrease by a tick (proc(5)).
    spent = [max(late - early, 0) for early, late in zip(before, after, strict=True)]
    total = sum(spent)
    if not total:
        return None
    return {"idle": round((spent[3] + spent[4]) / total, 4), "steal": round(spent[7] / total, 4)}


def foreign_share(
    before: Mapping[int, int],
    after: Mapping[int, int],
    cpu: tuple[Iterable[int], Iterable[int]],
) -> float | None:
    """The share of all ticks between two readings that these programs used; None without a tick.

    Args:
        before, after: ticks by pid; of programs that started or ended in between nothing is known.
        cpu: the ticks of all processors, before and after.
    """
    total = sum(max(late - early, 0) for early, late in zip(*cpu, strict=True))
    used = sum(max(after[pid] - ticks, 0) for pid, ticks in before.items() if pid in after)
    return round(used / total, 4) if total else None


def parse_ticks(stat: str) -> int:
    """Processor time of a process and its threads, in clock ticks, from /proc/PID/stat.

    Raises:
        ValueError: the process is dead.
    """
    return ticks_of(stat)[1]


def ticks_of(stat: str) -> tuple[int, int]:
    """The parent of a process, and its processor time in clock ticks, from /proc/PID/stat.

    Raises:
        ValueError: the process is dead.
    """
    fields = stat.rpartition(")")[2].split()  # the name before it may contain spaces
    if fields[0] in {"Z", "X"}:
        raise ValueError(f"process {stat.partition(')')[0]}) is dead")
    return int(fields[1]), int(fields[11]) + int(fields[12])
