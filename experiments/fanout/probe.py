"""Measures `fanout`: sends marked frames and counts their copies at every VTEP."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.model.names import UNDERLAY, underlay_mac
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point
from experiments.core.verdict import Thresholds
from experiments.fanout import count, labs, words
from experiments.fanout.question import QUESTION
from experiments.measure import counters
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.counters import Reading, Reconciled, reconciled
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, ethernet
from experiments.measure.packets import INTERFACE, NODE, Packet, stamp_ns
from experiments.measure.sockets import endpoints, senders, without
from topologies.plan.plan import guest_name

READINGS = 5  # a guest's own packets spoil one or two of them
END_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fanout:
    """Measures one lab."""

    frames_each: int  # of each kind on each network

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Send all frames between two readings of the counters, while every interface is captured."""
        overlay = lab.overlay
        frames = labs.frames(overlay, self.frames_each, context.seed)
        pids = {host.name: lab.pid(host.name) for host in overlay.hosts}
        with capturing(lab, _interfaces(overlay), context.path) as files:
            _announce_vteps(lab)
            before = counters.read_often(pids, READINGS)
            with context.watch():
                late = _send(lab, frames, context.seed)
            after = counters.read_often(pids, READINGS)
        packets = decoded(files, count.FIELDS)
        counts = count.counted(overlay, frames, packets)
        return measured(overlay, counts, _reconciled(overlay, packets, before, after), files, late)


def _interfaces(overlay: Overlay) -> dict[str, tuple[str, ...]]:
    """The interfaces to capture, by host: the underlay, and the ports of guests."""
    return {
        host.name: (
            UNDERLAY,
            *(overlay.device_of(port) for port in overlay.ports if port.host == host.name),
        )
        for host in overlay.hosts
    }


def _announce_vteps(lab: Lab) -> None:
    """Send a frame from each VTEP: the underlay's switch floods frames to a MAC it has not learned."""
    for host in lab.overlay.hosts:
        with senders(lab.pid(host.name), (UNDERLAY,)) as send:
            mac = underlay_mac(host.local_ip)
            send[UNDERLAY](ethernet(BROADCAST, mac, LOCAL_EXPERIMENT, b""))


def _send(lab: Lab, frames: Iterable[labs.Frame], seed: int) -> list[str]:
    """Send all frames, then an end-of-test frame on each network; return the guests that miss it.

    On every path, all frames before the end-of-test frame have arrived when it has.
    """
    overlay = lab.overlay
    last = [labs.frame(overlay, share, labs.END, 1, seed) for share in labs.SHARES]
    with endpoints(lab) as guests:
        for each in (*frames, *last):
            guests.send[labs.sender(overlay, each.share).id](each.data)
        awaited = {
            guest_name(port): (guests.sockets[port.id], each.nonce)
            for each in last
            for port in labs.receivers(overlay, each.share)
        }
        return sorted(without(awaited, END_S))


def _reconciled(
    overlay: Overlay, packets: Iterable[Packet], before: Iterable[Reading], after: Iterable[Reading]
) -> tuple[Reconciled, ...]:
    """The counters of each interface compared with its capture."""
    stamps: dict[counters.Place, list[int]] = defaultdict(list)
    for packet in packets:
        stamps[packet[NODE], packet[INTERFACE]].append(stamp_ns(packet))
    places = ((node, name) for node, names in _interfaces(overlay).items() for name in names)
    return tuple(reconciled(place, stamps[place], before, after) for place in places)


def measured(
    overlay: Overlay,
    counts: count.Counts,
    interfaces: Sequence[Reconciled],
    files: Captures,
    late: list[str],
) -> Measured:
    """The rows, and everything that makes a count doubtful as lost.

    Args:
        late: guests that did not receive the end-of-test frame.  One that received nothing at all
            is not reached by the network, which its counts say; another one may lack more frames.
    """
    unsent, reached = count.unsent(counts), count.reached(overlay, counts)
    incomplete = [guest for guest in late if guest in reached]
    dropped = {" ".join(place): number for place, number in files.dropped.items() if number}
    unequal = {" ".join(each.place): each.difference for each in interfaces if each.difference}
    return Measured(
        rows=count.frame_rows(overlay, counts),
        more={
            "vteps": count.vtep_rows(overlay, counts),
            "interfaces": tuple(
                {
                    "host": each.place[0],
                    "interface": each.place[1],
                    "counted": each.counted,
                    "captured": each.captured,
                }
                for each in interfaces
            ),
        },
        facts={
            words.NO_END_FRAME: late,
            words.DROPPED: dropped,
            words.UNEQUAL: unequal,
            words.UNSENT: len(unsent),
        },
        lost=len(unsent) + len(incomplete) + sum(dropped.values()) + sum(unequal.values()),
    )


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Fanout(frames_each=3),
    quick=Fanout(frames_each=1),
    thresholds=Thresholds(lost_max=0, lost_upcalls_max=0, repeats_min=1),
    watches=True,
    repeats=1,
    quick_factors={
        "mode": ("gre-mesh", "vxlan-l2pop", "vxlan-l2pop-arp", "kvxlan-multicast"),
        "hosts": (2, 4),
    },
    stage=labs.staged,
    predict=labs.predicted,
    hosts_factor="hosts",
)
