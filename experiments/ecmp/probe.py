"""Measures `ecmp`: which spine the flows of a tunnel take, under each hash policy."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import product
from socket import socket

from controller.model.underlay import core_names, edge_name
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.ecmp import labs
from experiments.ecmp.chance import entropy_bits
from experiments.ecmp.labs import Setting
from experiments.ecmp.question import QUESTION
from experiments.ecmp.words import SPLIT
from experiments.measure.frames import IPV4, Arrived, Mark, arrived, udp_frame
from experiments.measure.sockets import Send, received, receivers, senders

GUEST = "eth0"
AT_ONCE = 48  # packets in flight; the buffer of a packet socket holds more
LATE_S = 1.0  # how long packets in flight are awaited
ATTEMPTS = 4  # to send a packet: a busy switch drops some
POLICY = "net.ipv4.fib_multipath_hash_policy"
Packet = tuple[int, int]  # flow, copy


@dataclass(slots=True)
class Seen:
    """Packets of one setting that the spines have received."""

    awaited: set[Packet]
    spines: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by flow
    outer_ports: set[int] = field(default_factory=set)

    def note(self, spine: str, packet: Arrived) -> None:
        """Record a packet of this setting that a spine has received."""
        self.awaited.discard((packet.mark.flow, packet.mark.copy))
        self.spines[packet.mark.flow].add(spine)
        if packet.outer_port is not None:
            self.outer_ports.add(packet.outer_port)

    def on(self, spine: str) -> int:
        """The number of flows through this spine."""
        return sum(spine in each for each in self.spines.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecmp:
    """Sends many flows under each hash policy, and records the spine that each of them takes."""

    draws: int  # of ports and addresses, for each setting
    copies: int = 2  # packets of each flow, which all must take the same path

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        underlay = lab.overlay.underlay
        leaf, spines = edge_name(underlay.shape, 0), core_names(underlay)
        found: list[tuple[Setting, Seen]] = []
        with (
            receivers({each: lab.pid(each) for each in spines}, leaf, IPV4) as sockets,
            senders(lab.pid(labs.SENDER), (GUEST,)) as send,
            context.watch(),
        ):
            nonce = secrets.token_bytes(8)
            for number, setting in enumerate(labs.settings(self.draws)):
                lab.run(leaf, "sysctl", "-qw", f"{POLICY}={setting.hash_policy}")
                flows = labs.sent(lab.overlay, setting, context.seed)
                marked = {
                    (flow, copy): udp_frame(each, Mark(nonce, number, flow, copy))
                    for copy, (flow, each) in product(range(self.copies), enumerate(flows))
                }
                found.append((setting, _seen(send[GUEST], sockets, marked, nonce, number)))
        return _measured(found, spines)


def _seen(
    send: Send,
    sockets: Mapping[str, socket],
    marked: Mapping[Packet, bytes],
    nonce: bytes,
    number: int,
) -> Seen:
    """Send all packets of setting `number`, again if none arrives; the others stay in `awaited`."""
    seen = Seen(set(marked))
    packets = list(marked)
    for first in range(0, len(packets), AT_ONCE):
        for _ in range(ATTEMPTS):
            some = [each for each in packets[first : first + AT_ONCE] if each in seen.awaited]
            for packet in some:
                send(marked[packet])
            for spine, frame in received(sockets, partial(seen.awaited.isdisjoint, some), LATE_S):
                found = arrived(frame, nonce)
                if found and found.mark.setting == number:
                    seen.note(spine, found)
    return seen


def _measured(found: Sequence[tuple[Setting, Seen]], spines: tuple[str, ...]) -> Measured:
    more = tuple(
        {**asdict(setting), "spine": spine, "on_spine": seen.on(spine)}
        for setting, seen in found
        for spine in spines
    )
    return Measured(
        rows=tuple(_row(setting, seen, spines) for setting, seen in found),
        more={"spines": more},
        lost=sum(len(seen.awaited) for _, seen in found),
    )


def _row(setting: Setting, seen: Seen, spines: tuple[str, ...]) -> Row:
    counts = [seen.on(spine) for spine in spines]
    return {
        **asdict(setting),
        "entropy_bits": round(entropy_bits(counts), 6) if any(counts) else None,
        "least": min(counts),
        "most": max(counts),
        "spreads": int(sum(map(bool, counts)) > 1),
        "outer_ports": len(seen.outer_ports),
        SPLIT: sum(len(each) > 1 for each in seen.spines.values()),
    }


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Ecmp(draws=3),
    quick=Ecmp(draws=1),
    thresholds=Thresholds(lost_max=0, repeats_min=1),
    watches=True,
    repeats=2,
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh"), "spines": (2, 4)},
    stage=labs.staged,
    predict=labs.predicted,
    scenario="leaf-spine",
)
