"""Measures `mactable`: what the underlay's switch learns, and what a full MAC table costs."""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.mactable import bridges
from experiments.mactable import labs as stage
from experiments.mactable.labs import Frame
from experiments.mactable.question import QUESTION
from experiments.mactable.words import MISDELIVERED
from experiments.measure import sockets
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.frames import nonce_in
from experiments.measure.learned import learned_entries
from experiments.measure.packets import NODE, NONCE_IN, marked_packets
from experiments.measure.sockets import Send, received
from topologies.nodes.keeper import without_ipv6
from topologies.plan.plan import guest_name

BRIDGE = f"br-{UNDERLAY}"
ATTEMPTS = 5  # to deliver a broadcast
AT_ONCE = 24  # frames under way: few enough for every packet socket on their path
ARRIVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One interface on each host, in the order of hosts: sends and receives for all its guests."""

    send: tuple[Send, ...]
    sockets: tuple[socket.socket, ...]

    def deliver(self, frames: Sequence[Frame], *, attempts: int = 1) -> int:
        """Send every frame until it arrives, at most `attempts` times; return how many never did."""
        missing = 0
        for at in range(0, len(frames), AT_ONCE):
            waiting = {(each.receiver, each.nonce): each for each in frames[at : at + AT_ONCE]}
            for _ in range(attempts):
                for each in waiting.values():
                    self.send[each.sender.host](each.data)
                self._await(waiting)
                if not waiting:
                    break
            missing += len(waiting)
        return missing

    def _await(self, waiting: dict[tuple[int, bytes], Frame]) -> None:
        """Remove from `waiting` what arrives."""
        opened = dict(enumerate(self.sockets))  # all are read, so that none overflows
        for host, data in received(opened, lambda: not waiting, ARRIVAL_S):
            waiting.pop((host, nonce_in(data)), None)


@contextmanager
def endpoints(lab: Lab) -> Iterator[Endpoints]:
    """The guest of each host, which sends no frame of its own."""
    ports = lab.overlay.ports
    for port in ports:
        without_ipv6(lab.pid(guest_name(port)))
    with sockets.endpoints(lab) as ends:
        yield Endpoints(
            tuple(ends.send[port.id] for port in ports),
            tuple(ends.sockets[port.id] for port in ports),
        )


def measure(lab: Lab, _: Point, context: Context, /) -> Measured:
    """Measure one lab: more guests at each step, without a limit on the table and with one."""
    rows, dropped, mismatches = list[Row](), 0, 0
    with endpoints(lab) as ends, context.watch():
        for number, (guests, room) in enumerate(stage.STEPS):
            context.say(f"{guests} guests" + (f", table of {room} entries" if room else ""))
            entries = _learned(lab, ends, guests, room, (context.seed, number))
            mismatches += entries["learned"] != bridges.learned(lab.pid(UNDERLAY), BRIDGE).now
            frames = stage.unicast_frames(len(ends.send), guests, number, context.seed)
            files = _delivered(lab, ends, frames, context, number)
            arrived, misdelivered = _counted(lab.overlay, frames, files)
            dropped += sum(files.dropped.values())
            counts = {"sent": len(frames), "arrived": arrived, MISDELIVERED: misdelivered}
            rows.append({"guests": guests, "room": room, **entries, **counts})
    facts = {"capture_dropped": dropped, "steps_that_differ_from_kernel_count": mismatches}
    return Measured(rows=tuple(rows), facts=facts, lost=dropped + mismatches)


def _learned(
    lab: Lab, ends: Endpoints, guests: int, room: int, draw: tuple[int, int]
) -> dict[str, int | None]:
    """Empty the table, let each guest send a broadcast, host by host, and read the table."""
    lab.run(UNDERLAY, "ip", "link", "set", BRIDGE, "type", "bridge", "fdb_flush")
    bridges.limit_learned(lab.pid(UNDERLAY), BRIDGE, room)
    unlearned = sum(
        ends.deliver([stage.announcement(guest, *draw) for guest in there], attempts=ATTEMPTS)
        for there in stage.guests_by_host(len(ends.send), guests)
    )
    macs = _macs(lab)
    return {
        "learned": len(macs),
        **stage.owners(lab.overlay, macs),
        "unlearned": unlearned,
        "in_br_tun": _in_br_tun(lab),
    }


def _macs(lab: Lab) -> frozenset[str]:
    """Addresses that the underlay's switch has learned, without those of its own interfaces."""
    entries = json.loads(lab.run(UNDERLAY, "bridge", "-j", "fdb", "show", "br", BRIDGE))
    return frozenset(each["mac"] for each in entries if each.get("state") != "permanent")


def _in_br_tun(lab: Lab) -> int | None:
    """How much the first host's br-tun or VXLAN device has learned; None without a tunnel."""
    if not all(network.network_type.is_tunnel for network in lab.overlay.networks):
        return None
    return len(learned_entries(lab, lab.overlay.hosts[0]))


def _delivered(
    lab: Lab, ends: Endpoints, frames: Sequence[stage.Frame], context: Context, number: int
) -> Captures:
    """Send the frames, and capture what arrives at each host but the sender's."""
    where = {host.name: (UNDERLAY,) for host in lab.overlay.hosts[1:]}
    with capturing(lab, where, lambda name: context.path(f"{number}-{name}")) as files:
        ends.deliver(frames)
    return files


def _counted(overlay: Overlay, frames: Sequence[stage.Frame], files: Captures) -> tuple[int, int]:
    """Frames that arrived at the wire of their host, and copies that arrived at other hosts."""
    arrived, misdelivered = set[bytes](), 0
    for frame, packet in marked_packets(decoded(files, NONCE_IN), frames):
        if packet[NODE] == overlay.hosts[frame.receiver].name:
            arrived.add(frame.nonce)
        else:
            misdelivered += 1
    return len(arrived), misdelivered


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=measure,
    quick=measure,
    thresholds=Thresholds(lost_max=0, repeats_min=1),
    repeats=1,
    quick_factors={"mode": ("flat", "vxlan-l2pop"), "hosts": (4,)},
    watches=True,
    stage=stage.staged,
    predict=stage.predicted,
    hosts_factor="hosts",
)
