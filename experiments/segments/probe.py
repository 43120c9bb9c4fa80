"""The experiment `segments`: how many networks each type keeps apart, and how many it can name."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import TypeVar

from controller.model.errors import LabError
from controller.model.names import provider_interface
from controller.model.overlay import Overlay
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import ARP, LOCAL_EXPERIMENT, NONCE, replier
from experiments.measure.sockets import Send, heard, listeners, senders
from experiments.segments import count
from experiments.segments import labs as stage
from experiments.segments.question import QUESTION
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

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        overlay = lab.overlay
        frames = stage.frames(overlay, stage.KINDS, context.seed)
        barriers = stage.frames(overlay, (stage.BARRIER,), context.seed)
        with capturing(lab, _wires(overlay), context.path) as files:
            found, late = _exchange(lab, frames, barriers, self.wait_s)
        packets = decoded(files, count.FIELDS)
        own = count.answered(overlay, _asked(lab, self.wait_s))
        rows = tuple(
            {**row, "answered": int(own[network.id])}
            for row, network in zip(
                count.rows(overlay, frames, found, packets), overlay.networks, strict=True
            )
        )
        refused = _refused(lab, str(point["mode"]))
        made = lab.api("GET", "/v2.0/networks")["networks"]
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
    lab: Lab, frames: Sequence[stage.Frame], barriers: Sequence[stage.Frame], wait_s: float
) -> tuple[set[tuple[str, bytes]], int]:
    """Who heard which of `frames`: (port id, nonce); and how many barriers were missed.

    A barrier follows all frames on each path: when it is there, so are they.
    """
    overlay = lab.overlay
    found: set[tuple[str, bytes]] = set()
    with ExitStack() as stack:
        sockets, send = _opened(lab, stack, LOCAL_EXPERIMENT)
        for sent in (*_bursts(frames), *_bursts(barriers)):
            for frame in sent:
                send[frame.sender.id](frame.data)
            owed = frozenset(count.awaited(overlay, sent))
            for port_id, data in heard(sockets, partial(owed.issubset, found), wait_s):
                found.add((port_id, data[NONCE_AT : NONCE_AT + NONCE]))
    known, late = {frame.nonce for frame in frames}, set(count.awaited(overlay, barriers)) - found
    return {each for each in found if each[1] in known}, len(late)


def _asked(lab: Lab, wait_s: float) -> set[tuple[str, str]]:
    """Every guest asks for its peer's address in every network: (id of its port, MAC that answered)."""
    found: set[tuple[str, str]] = set()
    for guest in dict.fromkeys(port.device_id for port in lab.overlay.ports):
        lab.run(guest, "sysctl", "-qw", LOOSELY)
    with ExitStack() as stack:
        sockets, send = _opened(lab, stack, ARP)
        for burst in _bursts(stage.questions(lab.overlay) * TIMES):
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
    lab: Lab, stack: ExitStack, ethertype: int
) -> tuple[Mapping[str, socket], Mapping[str, Send]]:
    """For each port its listening socket and what sends from it, by the port's id."""
    sockets: dict[str, socket] = {}
    send: dict[str, Send] = {}
    for guest in dict.fromkeys(port.device_id for port in lab.overlay.ports):
        ports = [port for port in lab.overlay.ports if port.device_id == guest]
        names = {f"eth{number}": port.id for number, port in enumerate(ports)}
        pid = lab.pid(guest)
        opened = stack.enter_context(senders(pid, tuple(names)))
        send |= {id_: opened[name] for name, id_ in names.items()}
        for name, id_ in names.items():
            opened_there = listeners({guest: pid}, name, ethertype)
            sockets[id_] = stack.enter_context(opened_there)[guest]
    return sockets, send


def _refused(lab: Lab, mode: str) -> int:
    """How many of the networks that cannot be were refused by the API."""
    return sum(_is_refused(lab, asked) for asked in stage.refusals(stage.type_of(mode)))


def _is_refused(lab: Lab, asked: Mapping[str, object]) -> bool:
    try:
        lab.api("POST", "/v2.0/networks", {"network": {"name": "beyond", **asked}})
    except LabError:
        return True
    return False


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
    narrow=stage.narrowed,
    stage=stage.staged,
    predict=stage.predicted,
)
