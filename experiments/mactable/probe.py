"""The experiment `mactable`: what the underlay's switch learns, and what a full table costs."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from controller.model.modes import MODES
from controller.model.names import UNDERLAY
from controller.model.overlay import Overlay
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.mactable import bridges
from experiments.mactable import labs as stage
from experiments.measure.captures import Captures, capturing, decoded
from experiments.measure.deliver import TIMES, Ears, Letter
from experiments.measure.frames import LOCAL_EXPERIMENT
from experiments.measure.packets import NODE, Packet, all_of
from experiments.measure.sockets import Send, listeners, senders
from experiments.state.look import learned
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


def measure(bench: Bench, _: Point, tools: Tools, /) -> Measured:
    """Measure one lab: step by step more guests, with room for all, then with room for some."""
    rows, dropped, unlike = list[Row](), 0, 0
    with _mouths(bench) as mouths, tools.watch():
        for number, (guests, room) in enumerate(stage.STEPS):
            tools.say(f"{guests} guests" + (f", room for {room}" if room else ""))
            told = _learned(bench, mouths, guests, room, (tools.seed, number))
            heard = stage.letters(len(mouths.send), guests, number, tools.seed)
            files = _written(bench, mouths, heard, tools, number)
            dropped += sum(files.dropped.values())
            unlike += told["learned"] != told.pop("by_kernel")
            rows.append(
                {"guests": guests, "room": room, **told, **_counted(bench.overlay, heard, files)}
            )
    lost = sum(int(str(row["sent"])) - int(str(row["arrived"])) for row in rows)
    facts = {"capture_dropped": dropped, "steps_unlike_the_kernels_count": unlike}
    return Measured(rows=tuple(rows), facts=facts, lost=abs(lost) + dropped + unlike)


@contextmanager
def _mouths(bench: Bench) -> Iterator[Mouths]:
    """One guest a host that says nothing of its own."""
    pids = {guest_name(port): bench.pid(guest_name(port)) for port in bench.overlay.ports}
    for guest in pids:
        bench.run(guest, "sysctl", "-qw", *QUIET)
    with ExitStack() as stack:
        send = [stack.enter_context(senders(pid, (GUEST,)))[GUEST] for pid in pids.values()]
        heard = stack.enter_context(listeners(pids, GUEST, LOCAL_EXPERIMENT))
        yield Mouths(tuple(send), Ears(tuple(heard[guest] for guest in pids)))


def _learned(
    bench: Bench, mouths: Mouths, guests: int, room: int, draw: tuple[int, int]
) -> dict[str, int | None]:
    """Empty the table, let every guest speak, host by host, and read it."""
    bench.run(UNDERLAY, "ip", "link", "set", BRIDGE, "type", "bridge", "fdb_flush")
    bridges.limit_learned(bench.pid(UNDERLAY), BRIDGE, room)
    unheard = 0
    for host, there in enumerate(stage.speakers(len(mouths.send), guests)):
        ear = 0 if host else 1
        said = (stage.announcement(guest, *draw) for guest in there)
        letters = [Letter(mouths.send[host], frame, ear) for frame in said]
        unheard += mouths.ears.deliver(letters, times=TIMES)
    macs = _macs(bench)
    return {
        "learned": len(macs),
        "by_kernel": bridges.learned(bench.pid(UNDERLAY), BRIDGE).now,
        **stage.owners(bench.overlay, macs),
        "unheard": unheard,
        "in_br_tun": _in_br_tun(bench),
    }


def _macs(bench: Bench) -> frozenset[str]:
    """Those that the underlay's switch has learned; the others are its own interfaces'."""
    told = json.loads(bench.run(UNDERLAY, "bridge", "-j", "fdb", "show", "br", BRIDGE))
    return frozenset(each["mac"] for each in told if each.get("state") != "permanent")


def _in_br_tun(bench: Bench) -> int | None:
    """What the first host's br-tun, or its VXLAN device, has learned; None where there is none."""
    if not all(network.network_type.is_tunnel for network in bench.overlay.networks):
        return None
    return len(learned(bench, bench.overlay.hosts[0]))


def _written(
    bench: Bench, mouths: Mouths, letters: dict[stage.Guest, stage.Frame], tools: Tools, number: int
) -> Captures:
    """Send a letter to everyone, and capture what arrives at each host but the sender's."""
    hosts = [host.name for host in bench.overlay.hosts[1:]]
    where = dict.fromkeys(hosts, (UNDERLAY,))
    with capturing(bench, where, lambda name: tools.path(f"{number}-{name}")) as files:
        posted = [Letter(mouths.send[0], frame, to.host) for to, frame in letters.items()]
        mouths.ears.deliver(posted)
    return files


def _counted(overlay: Overlay, letters: dict[stage.Guest, stage.Frame], files: Captures) -> Row:
    """Letters that came to the wire of the host they were for, and copies that came to others."""
    names = [host.name for host in overlay.hosts]
    wanted = {frame.nonce.hex()[:NONCE_DIGITS]: names[to.host] for to, frame in letters.items()}
    seen = list(_sightings(wanted, decoded(files, NONCE_IN)))
    right = {nonce for nonce, node in seen if node == wanted[nonce]}
    astray = sum(node != wanted[nonce] for nonce, node in seen)
    return {"sent": len(letters), "arrived": len(right), "astray": astray}


def _sightings(wanted: dict[str, str], packets: Iterable[Packet]) -> Iterator[tuple[str, str]]:
    """The nonce of each letter seen, and at which host."""
    for packet in packets:
        shown = (value[:NONCE_DIGITS] for name in NONCE_IN for value in all_of(packet, name))
        nonce = next((each for each in shown if each in wanted), None)
        if nonce:
            yield nonce, packet[NODE]


MACTABLE = Experiment(
    question=Question(
        name="mactable",
        asks="How does the underlay switch's MAC table grow with guests, and what if it is full?",
        unit="entries",
        value="learned",
        factors={
            "mode": ("flat", "vlan", "gre-mesh", "vxlan-l2pop", "kvxlan-mesh"),
            "hosts": (4, 8),
        },
        teller="mactable",
        predictions=(
            Prediction(
                says="untunnelled: an entry for every guest",
                because="guests' own frames are on the wire, tagged or not, and a switch learns "
                "the source of each",
                silent_on=tuple(str(mode) for mode in MODES if stage.is_tunnelled(str(mode))),
            ),
            Prediction(
                says="tunnelled: an entry for every host, however many guests",
                because="all that is on the wire comes from a VTEP; guests' addresses are inside",
                silent_on=("flat", "vlan"),
            ),
            Prediction(
                says="a full table sends each frame for a guest that it has no entry of to every "
                "host: hosts - 2 copies astray; with tunnels none while hosts fit in",
                because="an unknown address is flooded to all ports but the one it came from",
                of="astray",
                silent_on=("kvxlan-l2pop",),  # its devices flood: they are told of no such guest
            ),
        ),
        columns={
            "mode": "how the overlay is carried",
            "hosts": "compute hosts, each one VTEP",
            "guests": "MAC addresses that speak, spread evenly over hosts; sent by one interface a "
            "host, port security off",
            "room": "entries that the table has room for (fdb_max_learned); 0: no limit",
            "learned": "entries of the underlay's switch when each guest has spoken once, host by host",
            "of_guests": "of those, guests' addresses",
            "of_vteps": "of those, VTEPs' addresses",
            "of_others": "of those, anybody else's",
            "unheard": "guests whose broadcast never arrived at another host",
            "in_br_tun": "rules that the first host's br-tun, or entries that its VXLAN device, has learned "
            "by then, of these guests, of earlier steps, and of who spoke when it came up; empty untunnelled",
            "sent": "frames then sent by the first guest, one to each on another host",
            "arrived": "of those, on the wire of the host they are for",
            "astray": "copies of them on wires of other hosts",
        },
    ),
    probe=measure,
    quick=measure,
    thresholds=Thresholds(lost_max=0, blocks_min=1),
    blocks=1,
    quick_factors={"mode": ("flat", "vxlan-l2pop"), "hosts": (4,)},
    watches=True,
    stage=stage.staged,
    foretell=stage.foretold,
    hosts_factor="hosts",
)
