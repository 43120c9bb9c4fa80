"""The experiment `mactable`: what the underlay's switch learns, and what a full table costs."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.mactable import bridges
from experiments.mactable import labs as stage
from experiments.mactable.question import QUESTION
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.deliver import TIMES, Ears, Letter
from experiments.measure.frames import LOCAL_EXPERIMENT
from experiments.measure.learned import learned_entries
from experiments.measure.packets import NODE, Packet, all_of
from experiments.measure.sockets import Send, listeners, senders
from topologies.plan.plan import guest_name

GUEST, BRIDGE = "eth0", f"br-{UNDERLAY}"
QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
NONCE_IN = ("data.data", "eth.trailer", "vlan.trailer")
NONCE_DIGITS = 24  # of the nonce in hexadecimal


@dataclass(frozen=True, slots=True)
class Mouths:
    """What speaks for the guests of each host, and hears for them."""

    send: tuple[Send, ...]
    ears: Ears


def measure(lab: Lab, _: Point, context: Context, /) -> Measured:
    """Measure one lab: step by step more guests, with room for all, then with room for some."""
    rows, dropped, mismatches = list[Row](), 0, 0
    with _mouths(lab) as mouths, context.watch():
        for number, (guests, room) in enumerate(stage.STEPS):
            context.say(f"{guests} guests" + (f", room for {room}" if room else ""))
            report = _learned(lab, mouths, guests, room, (context.seed, number))
            heard = stage.letters(len(mouths.send), guests, number, context.seed)
            files = _written(lab, mouths, heard, context, number)
            dropped += sum(files.dropped.values())
            mismatches += report["learned"] != report.pop("by_kernel")
            rows.append(
                {"guests": guests, "room": room, **report, **_counted(lab.overlay, heard, files)}
            )
    lost = sum(int(str(row["sent"])) - int(str(row["arrived"])) for row in rows)
    facts = {"capture_dropped": dropped, "steps_unlike_the_kernels_count": mismatches}
    return Measured(rows=tuple(rows), facts=facts, lost=abs(lost) + dropped + mismatches)


@contextmanager
def _mouths(lab: Lab) -> Iterator[Mouths]:
    """One guest a host that says nothing of its own."""
    pids = {guest_name(port): lab.pid(guest_name(port)) for port in lab.overlay.ports}
    for guest in pids:
        lab.run(guest, "sysctl", "-qw", *QUIET)
    with ExitStack() as stack:
        send = [stack.enter_context(senders(pid, (GUEST,)))[GUEST] for pid in pids.values()]
        heard = stack.enter_context(listeners(pids, GUEST, LOCAL_EXPERIMENT))
        yield Mouths(tuple(send), Ears(tuple(heard[guest] for guest in pids)))


def _learned(
    lab: Lab, mouths: Mouths, guests: int, room: int, draw: tuple[int, int]
) -> dict[str, int | None]:
    """Empty the table, let every guest speak, host by host, and read it."""
    lab.run(UNDERLAY, "ip", "link", "set", BRIDGE, "type", "bridge", "fdb_flush")
    bridges.limit_learned(lab.pid(UNDERLAY), BRIDGE, room)
    unlearned = 0
    for host, there in enumerate(stage.speakers(len(mouths.send), guests)):
        ear = 0 if host else 1
        said = (stage.announcement(guest, *draw) for guest in there)
        letters = [Letter(mouths.send[host], frame, ear) for frame in said]
        unlearned += mouths.ears.deliver(letters, times=TIMES)
    macs = _macs(lab)
    return {
        "learned": len(macs),
        "by_kernel": bridges.learned(lab.pid(UNDERLAY), BRIDGE).now,
        **stage.owners(lab.overlay, macs),
        "unheard": unlearned,
        "in_br_tun": _in_br_tun(lab),
    }


def _macs(lab: Lab) -> frozenset[str]:
    """Those that the underlay's switch has learned; the others are its own interfaces'."""
    report = json.loads(lab.run(UNDERLAY, "bridge", "-j", "fdb", "show", "br", BRIDGE))
    return frozenset(each["mac"] for each in report if each.get("state") != "permanent")


def _in_br_tun(lab: Lab) -> int | None:
    """What the first host's br-tun, or its VXLAN device, has learned; None where there is none."""
    if not all(network.network_type.is_tunnel for network in lab.overlay.networks):
        return None
    return len(learned_entries(lab, lab.overlay.hosts[0]))


def _written(
    lab: Lab, mouths: Mouths, letters: dict[stage.Guest, stage.Frame], context: Context, number: int
) -> Captures:
    """Send a letter to everyone, and capture what arrives at each host but the sender's."""
    hosts = [host.name for host in lab.overlay.hosts[1:]]
    where = dict.fromkeys(hosts, (UNDERLAY,))
    with capturing(lab, where, lambda name: context.path(f"{number}-{name}")) as files:
        posted = [Letter(mouths.send[0], frame, to.host) for to, frame in letters.items()]
        mouths.ears.deliver(posted)
    return files


def _counted(overlay: Overlay, letters: dict[stage.Guest, stage.Frame], files: Captures) -> Row:
    """Letters that came to the wire of the host they were for, and copies that came to others."""
    names = [host.name for host in overlay.hosts]
    wanted = {frame.nonce.hex()[:NONCE_DIGITS]: names[to.host] for to, frame in letters.items()}
    seen = list(_sightings(wanted, decoded(files, NONCE_IN)))
    right = {nonce for nonce, node in seen if node == wanted[nonce]}
    misdelivered = sum(node != wanted[nonce] for nonce, node in seen)
    return {"sent": len(letters), "arrived": len(right), "astray": misdelivered}


def _sightings(wanted: dict[str, str], packets: Iterable[Packet]) -> Iterator[tuple[str, str]]:
    """The nonce of each letter seen, and at which host."""
    for packet in packets:
        shown = (value[:NONCE_DIGITS] for name in NONCE_IN for value in all_of(packet, name))
        nonce = next((each for each in shown if each in wanted), None)
        if nonce:
            yield nonce, packet[NODE]


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
