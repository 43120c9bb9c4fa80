"""The experiment `fanout`: what one broadcast becomes, counted to the packet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point
from experiments.core.verdict import Thresholds
from experiments.fanout import count
from experiments.fanout import labs as stage
from experiments.fanout.question import QUESTION
from experiments.measure import counters
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.counters import Reading, Reconciled, reconciled
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, ethernet
from experiments.measure.packets import INTERFACE, NODE, Packet, stamp_ns
from experiments.measure.sockets import listeners, senders, without
from topologies.plan.plan import guest_name

GUEST = "eth0"  # the only interface of each guest
READINGS = 5  # a guest's own words spoil one or two of them
BARRIER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fanout:
    """Sends marked frames and counts their copies at every VTEP."""

    frames_each: int  # of each kind on each network

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        overlay = lab.overlay
        frames = stage.frames(overlay, self.frames_each, context.seed)
        hosts = {host.name: lab.pid(host.name) for host in overlay.hosts}
        with capturing(lab, _where(overlay), context.path) as files:
            _announce(overlay, hosts)
            before = counters.read_often(hosts, READINGS)
            with context.watch():
                late = _send(lab, frames, context.seed)
            after = counters.read_often(hosts, READINGS)
        packets = decoded(files, count.FIELDS)
        outcomes = _outcomes(overlay, packets, before, after)
        return _measured(overlay, count.counted(overlay, frames, packets), outcomes, files, late)


def _where(overlay: Overlay) -> dict[str, tuple[str, ...]]:
    """On each host its wire and its guests' ports."""
    return {
        host.name: (
            count.WIRE,
            *(overlay.device_of(port) for port in overlay.ports if port.host == host.name),
        )
        for host in overlay.hosts
    }


def _announce(overlay: Overlay, pids: Mapping[str, int]) -> None:
    """Let the underlay's switch see every VTEP's MAC, or it floods what is sent to a silent one."""
    for host in overlay.hosts:
        with senders(pids[host.name], (count.WIRE,)) as send:
            mac = underlay_mac(host.local_ip)
            send[count.WIRE](ethernet(BROADCAST, mac, LOCAL_EXPERIMENT, b""))


def _send(lab: Lab, frames: Iterable[stage.Frame], seed: int) -> list[str]:
    """Send all, and at last a barrier on each network; return the guests that miss theirs.

    Whatever came before the barrier on a path has come when the barrier has.
    """
    overlay = lab.overlay
    pids = {guest_name(port): lab.pid(guest_name(port)) for port in overlay.ports}
    barriers = [stage.frame(overlay, share, stage.BARRIER, 1, seed) for share in stage.SHARES]
    with ExitStack() as stack:
        heard = stack.enter_context(listeners(pids, GUEST, LOCAL_EXPERIMENT))
        send = {
            share: stack.enter_context(
                senders(pids[guest_name(stage.sender(overlay, share))], (GUEST,))
            )[GUEST]
            for share in stage.SHARES
        }
        for each in (*frames, *barriers):
            send[each.share](each.data)
        awaited = {
            guest: (heard[guest], each.nonce)
            for each in barriers
            for guest in _others(overlay, each.share)
        }
        return sorted(without(awaited, BARRIER_S))


def _others(overlay: Overlay, share: int) -> list[str]:
    """The guests of a network that do not send."""
    _, *others = overlay.active_ports(stage.network_id(share))
    return [guest_name(port) for port in others]


def _outcomes(
    overlay: Overlay, packets: Iterable[Packet], before: Iterable[Reading], after: Iterable[Reading]
) -> tuple[Reconciled, ...]:
    """Each interface's counters held against its capture."""
    stamps: Mapping[counters.Place, list[int]] = defaultdict(list)
    for packet in packets:
        stamps[packet[NODE], packet[INTERFACE]].append(stamp_ns(packet))
    places = ((node, name) for node, names in _where(overlay).items() for name in names)
    return tuple(reconciled(place, stamps[place], before, after) for place in places)


def _measured(
    overlay: Overlay,
    counts: tuple[count.Counted, ...],
    outcomes: tuple[Reconciled, ...],
    files: Captures,
    late: list[str],
) -> Measured:
    unsent = count.unsent(counts)
    dropped = {" ".join(place): many for place, many in files.dropped.items() if many}
    mismatches = {" ".join(each.place): each.difference for each in outcomes if each.difference}
    return Measured(
        rows=count.rows(overlay, counts),
        more={
            "vteps": count.at_vteps(overlay, counts),
            "interfaces": tuple(
                {
                    "host": each.place[0],
                    "interface": each.place[1],
                    "counted": each.counted,
                    "captured": each.captured,
                }
                for each in outcomes
            ),
        },
        facts={
            "guests_without_barrier": late,
            "capture_dropped": dropped,
            "capture_unlike_counters": mismatches,
            "frames_unsent": len(unsent),
        },
        lost=len(unsent) + len(late) + sum(dropped.values()) + sum(mismatches.values()),
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
    stage=stage.staged,
    predict=stage.predicted,
    hosts_factor="hosts",
)
