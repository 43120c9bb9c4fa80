"""What the kernel's and OVS's counters say was lost between two looks.  Pure: text in, counts out.

Which counters, and why just these (each tried on a calm lab, and on one that was overrun):

* AF_PACKET sockets, by which OVS reads its interfaces in user space: the place where an overrun
  lab loses packets.  Of 20,000 echo requests sent in 0.2 s, 5,901 were answered, and these
  sockets counted the other 14,099; no other counter had moved.
* Queueing disciplines: what a shaper or a policer on the path throws away; no device counts it.
* Devices: what could not be sent (`tx_dropped`) anywhere.  What was received and dropped
  (`rx_dropped`) only where OVS or a bridge takes every frame: in a guest the kernel counts each
  frame there for whose protocol nobody listens, an experiment's own probes among them.
* The backlogs of the processors, through which every veth hands its frames over.
* OVS: `lost` of its datapath (a packet that no flow knew and that could not be asked about) and
  the coverage counters `datapath_drop_*`.  Not `drop_action_*`, which count what the pipeline
  is meant to drop, nor `dropped` of its LOCAL ports: a flood goes to those too, and they are down.

A packet too large for the underlay is counted nowhere: the socket refuses it (EMSGSIZE).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from experiments.measure.netlink import Drops

Place = tuple[str, int]  # as people call it, and what tells two of that name apart
Counts = Mapping[Place, int]
RX_DROPPED, TX_DROPPED = 3, 11  # fields of /proc/net/dev after the name (net/core/net-procfs.c)
BACKLOG: Place = ("the backlog of a processor", 0)


@dataclass(frozen=True, slots=True)
class Discarded:
    """All that the kernel threw away in one network namespace since it was made."""

    names: Mapping[int, str]  # of interfaces by index
    sockets: tuple[Drops, ...]
    queues: tuple[Drops, ...]
    devices: str  # /proc/net/dev


def kernel_counts(node: str, seen: Discarded, *, is_guest: bool) -> dict[Place, int]:
    """All counters of one node that mean a lost packet."""
    return {
        **_by_interface("the packet socket on", node, seen.sockets, seen.names),
        **_by_interface("the queue of", node, seen.queues, seen.names),
        **dict(_device_counts(node, seen.devices, is_guest=is_guest)),
    }


def _by_interface(
    what: str, node: str, drops: Iterable[Drops], names: Mapping[int, str]
) -> dict[Place, int]:
    return {
        (f"{what} {names.get(each.interface, 'all interfaces')} of {node}", each.key): each.dropped
        for each in drops
    }


def _device_counts(node: str, text: str, *, is_guest: bool) -> Iterator[tuple[Place, int]]:
    for name, (received, sent) in parse_devices(text).items():
        yield (f"{name} of {node}, sending", 0), sent
        if not is_guest:
            yield (f"{name} of {node}, receiving", 0), received


def parse_devices(text: str) -> dict[str, tuple[int, int]]:
    """Frames dropped when received and when sent, by interface, from /proc/net/dev."""
    lines = (line.partition(":") for line in text.splitlines() if ":" in line)
    fields = {name.strip(): rest.split() for name, _, rest in lines}
    return {name: (int(each[RX_DROPPED]), int(each[TX_DROPPED])) for name, each in fields.items()}


def parse_backlog(text: str) -> int:
    """Frames that found a processor's backlog full, from /proc/net/softnet_stat: its second column."""
    return sum(int(line.split()[1], 16) for line in text.splitlines())


def parse_lost(text: str) -> int:
    """Upcalls lost by all datapaths of `dpctl/show`.

    Raises:
        ValueError: it has no such line.
    """
    found = re.findall(r"^\s+lookups: hit:\d+ missed:\d+ lost:(\d+)$", text, re.MULTILINE)
    if not found:
        raise ValueError(f"dpctl/show tells of no lookups: {text[:80]!r}")
    return sum(map(int, found))


def datapath_counts(node: str, coverage: str) -> dict[Place, int]:
    """The drops of OVS's own datapath, from `coverage/show`; one that never happened is absent."""
    found = re.findall(r"^datapath_drop_(\w+) .* total: (\d+)$", coverage, re.MULTILINE)
    return {
        (f"the datapath of {node} ({name.replace('_', ' ')})", 0): int(total)
        for name, total in found
    }


def added(before: Counts, after: Counts) -> dict[str, int]:
    """What each place lost between two looks, most first; one that is new began at nothing."""
    found: dict[str, int] = {}
    for place, count in after.items():
        more = count - before.get(place, 0)
        if more > 0:
            found[place[0]] = found.get(place[0], 0) + more
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def without_told(lost: Mapping[str, int]) -> dict[str, int]:
    """The same with the backlog's share that a device has told already, being part of both."""
    report = sum(count for place, count in lost.items() if place.endswith(", receiving"))
    left = lost.get(BACKLOG[0], 0) - report
    rest = {place: count for place, count in lost.items() if place != BACKLOG[0]}
    return {**rest, BACKLOG[0]: left} if left > 0 else rest


def parse_cpu(stat: str) -> tuple[int, ...]:
    """The ticks of all processors together, by proc(5)'s order of fields.

    User, nice, system, idle, iowait, irq, softirq, steal; a guest's time is in the first two.
    """
    return tuple(int(field) for field in stat.split("\n", 1)[0].split()[1:9])


def cpu_fractions(before: Iterable[int], after: Iterable[int]) -> dict[str, float] | None:
    """Parts of the ticks between two looks, None if there was none; waiting for a disk is idle."""
    # iowait and steal may go back by a tick (proc(5)).
    spent = [max(late - early, 0) for early, late in zip(before, after, strict=True)]
    total = sum(spent)
    if not total:
        return None
    return {"idle": round((spent[3] + spent[4]) / total, 4), "steal": round(spent[7] / total, 4)}


def parse_ticks(stat: str) -> int:
    """Processor time of a process and its threads, in clock ticks, from /proc/PID/stat.

    Raises:
        ValueError: it is dead.
    """
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
    if fields[0] in {"Z", "X"}:
        raise ValueError(f"process {stat.partition(')')[0]}) is dead")
    return int(fields[11]) + int(fields[12])
