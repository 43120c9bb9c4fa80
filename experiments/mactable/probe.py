"""Measures `mactable`: what the underlay's switch learns, and what a full MAC table costs."""

import json
from collections.abc import Sequence

from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.mactable import bridges
from experiments.mactable import labs as stage
from experiments.mactable.deliver import Endpoints, endpoints
from experiments.mactable.question import QUESTION
from experiments.mactable.words import MISDELIVERED
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.learned import learned_entries
from experiments.measure.packets import NODE, NONCE_IN, marked_packets

BRIDGE = f"br-{UNDERLAY}"
ATTEMPTS = 5  # to deliver a broadcast


def measure(lab: Lab, _: Point, context: Context, /) -> Measured:
    """Measure one lab: more guests at each step, without a limit on the table and with one."""
    rows, dropped, mismatches, lost = list[Row](), 0, 0, 0
    with endpoints(lab) as ends, context.watch():
        for number, (guests, room) in enumerate(stage.STEPS):
            context.say(f"{guests} guests" + (f", table of {room} entries" if room else ""))
            entries = _learned(lab, ends, guests, room, (context.seed, number))
            mismatches += entries["learned"] != bridges.learned(lab.pid(UNDERLAY), BRIDGE).now
            frames = stage.unicast_frames(len(ends.send), guests, number, context.seed)
            files = _delivered(lab, ends, frames, context, number)
            arrived, misdelivered = _counted(lab.overlay, frames, files)
            dropped += sum(files.dropped.values())
            lost += len(frames) - arrived
            counts = {"sent": len(frames), "arrived": arrived, MISDELIVERED: misdelivered}
            rows.append({"guests": guests, "room": room, **entries, **counts})
    facts = {"capture_dropped": dropped, "steps_that_differ_from_kernel_count": mismatches}
    return Measured(rows=tuple(rows), facts=facts, lost=abs(lost) + dropped + mismatches)


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
