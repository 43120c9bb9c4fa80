"""Measures `segments`: how many networks of each type are isolated, and which ids they can have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from controller.model.errors import LabError
from controller.model.names import UNDERLAY, provider_interface
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import ARP, nonce_in, replier
from experiments.measure.sockets import endpoints, received
from experiments.segments import count, labs
from experiments.segments.question import QUESTION
from experiments.segments.words import DROPPED, NO_END_FRAME
from topologies.plan.plan import guests, mapped

Sent = TypeVar("Sent")
BURST = 48  # frames
# A guest that has one address on several interfaces replies on each of them, unless its kernel
# checks that the sender is reached through the same interface (ip-sysctl: 2 is loose mode).
RP_FILTER = "net.ipv4.conf.all.rp_filter=2"
ROUNDS = 2  # of ARP requests: late replies to the first have arrived by the end of the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Measures one lab."""

    wait_s: float = 3.0  # for the frames of a burst

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Send marked frames and ARP requests in all networks at once, and receive at every guest."""
        overlay = lab.overlay
        frames = labs.frames(overlay, labs.KINDS, context.seed)
        last = labs.frames(overlay, (labs.END,), context.seed)
        with capturing(lab, _wires(overlay), context.path) as files:
            received, late = _exchange(lab, frames, last, self.wait_s)
        packets = decoded(files, count.FIELDS)
        replies = _arp_replies(lab, self.wait_s)
        rows = count.network_rows(overlay, frames, received, packets, replies)
        refused = _refused(lab, str(point["mode"]))
        shown = lab.api("GET", "/v2.0/networks")["networks"]
        wanted = {network.id for network in overlay.networks}
        dropped = {" ".join(place): number for place, number in files.dropped.items() if number}
        total = {
            "isolated": sum(bool(row["reached"]) and not row["leaks"] for row in rows),
            "made": sum(each["id"] in wanted and each["status"] == "ACTIVE" for each in shown),
            **{
                name: sum(int(str(row[name])) for row in rows)
                for name in ("reached", "leaks", "labelled", "answered")
            },
            "refused": refused,
        }
        return Measured(
            rows=(total,),
            more={"networks": rows},
            facts={DROPPED: dropped, NO_END_FRAME: late},
            lost=sum(dropped.values()) + late,
        )


def _wires(overlay: Overlay) -> dict[str, tuple[str, ...]]:
    """The interfaces of each host to the underlay and to physical networks."""
    return {
        host.name: (UNDERLAY, *(provider_interface(name) for name, _ in mapped(host)))
        for host in overlay.hosts
    }


def _exchange(
    lab: Lab, frames: Sequence[labs.Frame], last: Sequence[labs.Frame], wait_s: float
) -> tuple[set[tuple[str, bytes]], int]:
    """Send `frames`, then the end-of-test frames.

    Returns port id and nonce of each of `frames` that was received, and how many end-of-test
    frames were not, at ports that had received a frame before: these may lack more frames, while
    others are not reached by the network.
    """
    arrived: set[tuple[str, bytes]] = set()
    with endpoints(lab) as ends:
        for burst in (*_bursts(frames), *_bursts(last)):
            for frame in burst:
                ends.send[frame.sender.id](frame.data)
            awaited = frozenset(count.awaited(lab.overlay, burst))
            for port_id, data in received(ends.sockets, partial(awaited.issubset, arrived), wait_s):
                arrived.add((port_id, nonce_in(data)))
    nonces = {frame.nonce for frame in frames}
    reached = {each[0] for each in count.awaited(lab.overlay, frames) if each in arrived}
    late = [each for each in count.awaited(lab.overlay, last) if each not in arrived]
    found = {each for each in arrived if each[1] in nonces}
    return found, sum(port_id in reached for port_id, _ in late)


def _arp_replies(lab: Lab, wait_s: float) -> set[tuple[str, str]]:
    """Let every guest ask for its peer in every network; return port id and MAC of each reply."""
    replies: set[tuple[str, str]] = set()
    for guest in guests(lab.overlay):
        lab.run(guest, "sysctl", "-qw", RP_FILTER)
    with endpoints(lab, ARP) as ends:
        for burst in _bursts(labs.arp_requests(lab.overlay) * ROUNDS):
            for port, _, request in burst:
                ends.send[port.id](request)
            awaited = {(port.id, other.mac_address) for port, other, _ in burst}
            new: set[tuple[str, str]] = set()
            for port_id, data in received(ends.sockets, partial(awaited.issubset, new), wait_s):
                new |= {(port_id, mac) for mac in replier(data)}
            replies |= new
    return replies


def _bursts(frames: Sequence[Sent]) -> Iterator[Sequence[Sent]]:
    """So few at once that a user-space switch does not drop them on a busy machine."""
    return (frames[at : at + BURST] for at in range(0, len(frames), BURST))


def _refused(lab: Lab, mode: str) -> int:
    """How many of the networks with wrong attributes the API refuses."""
    refused = 0
    for attributes in labs.refusals(labs.type_of(mode)):
        try:
            lab.api("POST", "/v2.0/networks", {"network": {"name": "refused", **attributes}})
        except LabError:
            refused += 1
    return refused


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Segments(),
    quick=Segments(),
    thresholds=Thresholds(lost_max=0, repeats_min=1),
    repeats=1,
    quick_factors={
        "mode": ("local", "flat", "vlan", "gre-mesh", "vxlan-mesh", "geneve-mesh"),
        "networks": (8,),
    },
    narrow=labs.narrowed,
    stage=labs.staged,
    predict=labs.predicted,
)
