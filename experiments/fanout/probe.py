"""The experiment `fanout`: what one broadcast becomes, counted to the packet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question
from experiments.core.verdict import Thresholds
from experiments.fanout import count
from experiments.fanout import labs as stage
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

    repeats: int  # frames of each kind on each network

    def __call__(self, bench: Bench, _: Point, tools: Tools, /) -> Measured:
        """Measure one lab."""
        overlay = bench.overlay
        frames = stage.frames(overlay, self.repeats, tools.seed)
        hosts = {host.name: bench.pid(host.name) for host in overlay.hosts}
        with capturing(bench, _where(overlay), tools.path) as files:
            _announce(overlay, hosts)
            before = counters.read_often(hosts, READINGS)
            with tools.watch():
                late = _send(bench, frames, tools.seed)
            after = counters.read_often(hosts, READINGS)
        packets = decoded(files, count.FIELDS)
        held = _held(overlay, packets, before, after)
        return _measured(overlay, count.counted(overlay, frames, packets), held, files, late)


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


def _send(bench: Bench, frames: Iterable[stage.Frame], seed: int) -> list[str]:
    """Send all, and at last a barrier on each network; return the guests that miss theirs.

    Whatever came before the barrier on a path has come when the barrier has.
    """
    overlay = bench.overlay
    pids = {guest_name(port): bench.pid(guest_name(port)) for port in overlay.ports}
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


def _held(
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
    held: tuple[Reconciled, ...],
    files: Captures,
    late: list[str],
) -> Measured:
    unsent = count.unsent(counts)
    dropped = {" ".join(place): many for place, many in files.dropped.items() if many}
    unlike = {" ".join(each.place): each.difference for each in held if each.difference}
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
                for each in held
            ),
        },
        facts={
            "guests_without_barrier": late,
            "capture_dropped": dropped,
            "capture_unlike_counters": unlike,
            "frames_unsent": len(unsent),
        },
        lost=len(unsent) + len(late) + sum(dropped.values()) + sum(unlike.values()),
    )


FANOUT = Experiment(
    question=Question(
        name="fanout",
        asks="How many copies of a broadcast leave a host, and how many of them are in vain?",
        unit="copies",
        value="copies_sent",
        factors={
            "mode": (
                "vlan",
                "gre-mesh",
                "gre-l2pop",
                "vxlan-mesh",
                "vxlan-l2pop",
                "vxlan-l2pop-arp",
                "kvxlan-multicast",
                "kvxlan-mesh",
                "kvxlan-l2pop",
            ),
            "hosts": (2, 4, 8, 16),
        },
        teller="fanout",
        predictions=(
            Prediction(
                says="mesh: a frame for all, or for a stranger, is sent hosts - 1 times",
                because=(
                    "table 22 outputs to every tunnel port of the type, whoever has a guest there; "
                    "an unknown unicast falls from table 20 into it"
                ),
                of="mesh",
            ),
            Prediction(
                says="l2pop: it is sent members - 1 times, and never in vain",
                because="table 22 has just the VTEPs that l2population named as flooding entries",
                of="l2pop",
            ),
            Prediction(
                says="l2pop-arp: a request for a known address is not sent at all, one for an "
                "unknown address members - 1 times",
                because="table 21 answers what it knows and passes the rest on to table 22",
                of="l2pop-arp",
            ),
            Prediction(
                says="untunnelled: it is sent once, and the underlay's switch brings it to every host",
                because="no head-end replication: the copies are made where the wires meet",
                of="vlan",
            ),
            Prediction(
                says="kvxlan-multicast: one packet leaves, whatever the number of hosts, and reaches "
                "members alone",
                because=(
                    "the kernel sends it to the VNI's multicast group; the underlay's switch copies "
                    "it to the ports where IGMP said that somebody has joined"
                ),
                of="kvxlan-multicast",
            ),
            Prediction(
                says="kvxlan-mesh: a frame for all, or for a stranger, is sent hosts - 1 times",
                because="the all-zeros entry of the device's FDB has every other VTEP, each a copy",
                of="kvxlan-mesh",
            ),
            Prediction(
                says="kvxlan-l2pop: no ARP request is sent, be its address known or not; all else "
                "members - 1 times, never in vain",
                because=(
                    "the device's ARP proxy answers what it was told, and drops a request that it "
                    "cannot answer; the all-zeros entry has members alone"
                ),
                of="kvxlan-l2pop",
            ),
        ),
        columns={
            "mode": "how the overlay is carried; vlan is untunnelled through the same bridges",
            "hosts": "compute hosts, each one VTEP",
            "share": "percent of the hosts that have a guest on the network",
            "members": "hosts that have a guest on the network, the sender's one of them",
            "kind": "what was sent: an ARP request for a guest's address or for nobody's, another "
            "broadcast, or a frame to a MAC of nobody",
            "frame": "which of its kind, from 1",
            "copies_sent": "packets with the frame's nonce that left the sender's host",
            "arrived": "of those, packets that arrived at the VTEP they were sent to",
            "wasted": "of those, packets that arrived at a host without a guest on the network",
            "heard": "deliveries of it to other guests",
            "answered": "answers that the sender's own switch made of it (the ARP responder)",
            "strays": "packets with its nonce anywhere else: relayed, misdirected, or come back",
        },
        more={
            "vteps": {
                "mode": "as above",
                "hosts": "as above",
                "share": "as above",
                "kind": "as above",
                "frame": "as above",
                "host": "the VTEP's host",
                "is_member": "1 if it has a guest on the network",
                "copies_sent": "packets with the frame's nonce that left it",
                "arrived": "packets with the nonce that arrived here",
                "heard": "deliveries of the frame to guests here",
            },
            "interfaces": {
                "mode": "as above",
                "hosts": "as above",
                "host": "compute host",
                "interface": "its wire, or a guest's port",
                "counted": "packets by its counters, between two readings",
                "captured": "packets in its capture, between the same",
            },
        },
    ),
    probe=Fanout(repeats=3),
    quick=Fanout(repeats=1),
    thresholds=Thresholds(lost_max=0, lost_upcalls_max=0, blocks_min=1),
    watches=True,
    blocks=1,
    quick_factors={
        "mode": ("gre-mesh", "vxlan-l2pop", "vxlan-l2pop-arp", "kvxlan-multicast"),
        "hosts": (2, 4),
    },
    stage=stage.staged,
    foretell=stage.foretold,
    hosts_factor="hosts",
)
