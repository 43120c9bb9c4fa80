"""The experiment `segments`: how many networks each type keeps apart, and how many it can name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import TypeVar

from controller.model.encap import NetworkType
from controller.model.errors import LabError
from controller.model.modes import MODES
from controller.model.names import provider_interface
from controller.model.overlay import Overlay
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import ARP, LOCAL_EXPERIMENT, NONCE, replier
from experiments.measure.sockets import Send, heard, listeners, senders
from experiments.segments import count
from experiments.segments import labs as stage
from topologies.plan.providers import mapped

Sent = TypeVar("Sent")
BURST = 48  # frames
NONCE_AT = 14  # bytes: behind the Ethernet header
# The kernel of a guest that has the same address on all its interfaces answers on each for itself,
# unless it checks that the asker is reached by the same one (ip-sysctl: 2 is loosely).
LOOSELY = "net.ipv4.conf.all.rp_filter=2"
TIMES = 2  # that all are asked: what the first round stirred up has come when the second is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Sends marked frames on every network at once, and listens at every guest."""

    wait_s: float = 3.0  # for the frames of a burst that are owed

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab."""
        overlay = bench.overlay
        frames = stage.frames(overlay, stage.KINDS, tools.seed)
        barriers = stage.frames(overlay, (stage.BARRIER,), tools.seed)
        with capturing(bench, _wires(overlay), tools.path) as files:
            found, late = _exchange(bench, frames, barriers, self.wait_s)
        packets = decoded(files, count.FIELDS)
        own = count.answered(overlay, _asked(bench, self.wait_s))
        rows = tuple(
            {**row, "answered": int(own[network.id])}
            for row, network in zip(
                count.rows(overlay, frames, found, packets), overlay.networks, strict=True
            )
        )
        refused = _refused(bench, str(point["mode"]))
        made = bench.api("GET", "/v2.0/networks")["networks"]
        wanted = {network.id for network in overlay.networks}
        dropped = {" ".join(place): many for place, many in files.dropped.items() if many}
        total = {
            "isolated": sum(bool(row["reached"]) and not row["leaks"] for row in rows),
            "made": sum(each["id"] in wanted and each["status"] == "ACTIVE" for each in made),
            **{
                name: sum(int(str(row[name])) for row in rows)
                for name in ("reached", "leaks", "labelled")
            },
            "refused": refused,
            "answered": sum(own.values()),
        }
        return Measured(
            rows=(total,),
            more={"networks": rows},
            facts={"capture_dropped": dropped, "barriers_missing": late},
            lost=sum(dropped.values()) + late,
        )


def _wires(overlay: Overlay) -> dict[str, tuple[str, ...]]:
    """On each host its wires: the underlay, and those to physical networks."""
    return {
        host.name: (count.WIRE, *(provider_interface(name) for name, _ in mapped(host)))
        for host in overlay.hosts
    }


def _exchange(
    bench: Bench, frames: Sequence[stage.Frame], barriers: Sequence[stage.Frame], wait_s: float
) -> tuple[set[tuple[str, bytes]], int]:
    """Who heard which of `frames`: (port id, nonce); and how many barriers were missed.

    A barrier follows all frames on each path: when it is there, so are they.
    """
    overlay = bench.overlay
    found: set[tuple[str, bytes]] = set()
    with ExitStack() as stack:
        sockets, send = _opened(bench, stack, LOCAL_EXPERIMENT)
        for sent in (*_bursts(frames), *_bursts(barriers)):
            for frame in sent:
                send[frame.sender.id](frame.data)
            owed = frozenset(count.awaited(overlay, sent))
            for port_id, data in heard(sockets, partial(owed.issubset, found), wait_s):
                found.add((port_id, data[NONCE_AT : NONCE_AT + NONCE]))
    known, late = {frame.nonce for frame in frames}, set(count.awaited(overlay, barriers)) - found
    return {each for each in found if each[1] in known}, len(late)


def _asked(bench: Bench, wait_s: float) -> set[tuple[str, str]]:
    """Every guest asks for its peer's address in every network: (id of its port, MAC that answered)."""
    found: set[tuple[str, str]] = set()
    for guest in dict.fromkeys(port.device_id for port in bench.overlay.ports):
        bench.run(guest, "sysctl", "-qw", LOOSELY)
    with ExitStack() as stack:
        sockets, send = _opened(bench, stack, ARP)
        for burst in _bursts(stage.questions(bench.overlay) * TIMES):
            for port, _, request in burst:
                send[port.id](request)
            owed = {(port.id, asked.mac_address) for port, asked, _ in burst}
            new: set[tuple[str, str]] = set()
            for port_id, data in heard(sockets, partial(owed.issubset, new), wait_s):
                new |= {(port_id, mac) for mac in replier(data)}
            found |= new
    return found


def _bursts(frames: Sequence[Sent]) -> Iterator[Sequence[Sent]]:
    """So few at once that a switch in user space, on a busy machine, has room for them."""
    return (frames[at : at + BURST] for at in range(0, len(frames), BURST))


def _opened(
    bench: Bench, stack: ExitStack, ethertype: int
) -> tuple[Mapping[str, socket], Mapping[str, Send]]:
    """For each port its listening socket and what sends from it, by the port's id."""
    sockets: dict[str, socket] = {}
    send: dict[str, Send] = {}
    for guest in dict.fromkeys(port.device_id for port in bench.overlay.ports):
        ports = [port for port in bench.overlay.ports if port.device_id == guest]
        names = {f"eth{number}": port.id for number, port in enumerate(ports)}
        pid = bench.pid(guest)
        opened = stack.enter_context(senders(pid, tuple(names)))
        send |= {id_: opened[name] for name, id_ in names.items()}
        for name, id_ in names.items():
            opened_there = listeners({guest: pid}, name, ethertype)
            sockets[id_] = stack.enter_context(opened_there)[guest]
    return sockets, send


def _refused(bench: Bench, mode: str) -> int:
    """How many of the networks that cannot be were refused by the API."""
    return sum(_is_refused(bench, asked) for asked in stage.refusals(stage.type_of(mode)))


def _is_refused(bench: Bench, asked: Mapping[str, object]) -> bool:
    try:
        bench.api("POST", "/v2.0/networks", {"network": {"name": "beyond", **asked}})
    except LabError:
        return True
    return False


SEGMENTS = Experiment(
    question=Question(
        name="segments",
        asks="How many networks does each type keep apart, and how many can it name?",
        unit="networks",
        value="isolated",
        factors={
            "mode": (
                "local",
                "flat",
                "vlan",
                "gre-mesh",
                "vxlan-mesh",
                "vxlan-l2pop",
                "geneve-mesh",
                "kvxlan-mesh",
                "kvxlan-multicast",
            ),
            "networks": (64,),
        },
        teller="segments",
        predictions=(
            Prediction(
                says="every network is made, its guests reach each other, and no frame of it is "
                "ever heard in another one, though all have the same addresses: who asks for one by "
                "ARP is answered by its own network's guest alone",
                because="each has a local VLAN of its own on every host (a bridge of its own, by the "
                "kernel's VXLAN), and an id of its own between them; frames are told apart by these, "
                "and nobody on the way looks at guests' IP addresses beyond one network",
            ),
            Prediction(
                says="GRE names 2^32-1 networks, not the article's 2^24",
                because="the key has 32 bits (RFC 2890); one that ends at 24 would mix networks "
                "1 and 16777217, which are tried at once, and would not show key 4294967295",
                silent_on=(
                    "local",
                    "flat",
                    "vlan",
                    *(str(m) for m in MODES if m.network_type is not NetworkType.GRE),
                ),
            ),
        ),
        columns={
            "mode": "the networks' type and way of flooding; local, flat and vlan have none",
            "networks": "networks made at once",
            "isolated": "networks whose guests reached each other, and no frame of which leaked",
            "made": "networks that the API shows as ACTIVE",
            "reached": "networks in which either guest heard the other's broadcast and unicast",
            "leaks": "marked frames heard in another network, or beyond the host of a local one",
            "labelled": "networks whose frames bore their id on every wire, and no other",
            "refused": "networks that the API refused: an id beyond either edge, or what is taken",
            "answered": "networks in which an ARP request for the peer's address, the same in all, "
            "was answered by the peer alone, both ways",
        },
        more={
            "networks": {
                "network": "its name",
                "segmentation_id": "its id; none for flat and local",
                "reached": "1 if either guest heard the other's broadcast and unicast",
                "leaks": "marked frames of it heard elsewhere",
                "on_wire": "what its frames were called on any wire: an id, or the interface if bare",
                "labelled": "1 if that is what it must be",
                "answered": "1 if ARP for the peer's address was answered by the peer alone, both ways",
            },
        },
    ),
    probe=Segments(),
    quick=Segments(),
    thresholds=Thresholds(lost_max=0, blocks_min=1),
    blocks=1,
    quick_factors={
        "mode": ("local", "flat", "vlan", "gre-mesh", "vxlan-mesh", "geneve-mesh"),
        "networks": (8,),
    },
    narrow=stage.narrowed,
    stage=stage.staged,
    foretell=stage.foretold,
)
