"""Marked frames: sent and received on the interfaces of guests, and found in captures by their nonce."""

import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from experiments.core.experiment import Lab
from experiments.measure.frames import LOCAL_EXPERIMENT
from experiments.measure.packets import Packet, all_of
from experiments.measure.sockets import Send, receivers, senders
from topologies.plan.plan import guests

# Where tshark shows bytes that it does not dissect.
NONCE_IN = ("eth.trailer", "eth.padding", "vlan.trailer", "data.data")
# Hexadecimal digits that identify a nonce: tshark may take the end of a trailer for a checksum.
NONCE_DIGITS = 24


class Marked(Protocol):
    """A frame of an experiment, with whatever else the experiment knows about it."""

    @property
    def nonce(self) -> bytes:
        """Identifies the frame; NONCE bytes."""


MarkedFrame = TypeVar("MarkedFrame", bound=Marked)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The interfaces of guests, by port id."""

    send: Mapping[str, Send]
    sockets: Mapping[str, socket.socket]


@contextmanager
def endpoints(lab: Lab, ethertype: int = LOCAL_EXPERIMENT) -> Iterator[Endpoints]:
    """Every interface of every guest; the sockets receive frames of `ethertype`.

    Raises:
        MeasureError: an interface does not exist.
    """
    send: dict[str, Send] = {}
    sockets: dict[str, socket.socket] = {}
    port_ids: dict[str, dict[str, str]] = defaultdict(dict)  # by interface and guest
    pids = {guest: lab.pid(guest) for guest in guests(lab.overlay)}
    with ExitStack() as stack:
        for guest, ports in guests(lab.overlay).items():
            names = {f"eth{number}": port.id for number, port in enumerate(ports)}
            opened = stack.enter_context(senders(pids[guest], tuple(names)))
            send |= {names[name]: each for name, each in opened.items()}
            for name, port_id in names.items():
                port_ids[name][guest] = port_id
        for name, ids in port_ids.items():
            there = receivers({guest: pids[guest] for guest in ids}, name, ethertype)
            sockets |= {ids[guest]: each for guest, each in stack.enter_context(there).items()}
        yield Endpoints(send, sockets)


def marked_packets(
    packets: Iterable[Packet], frames: Iterable[MarkedFrame]
) -> Iterator[tuple[MarkedFrame, Packet]]:
    """Each captured packet that has the nonce of a frame, with that frame.

    The packets are decoded with the fields NONCE_IN.
    """
    frame_of = {frame.nonce.hex()[:NONCE_DIGITS]: frame for frame in frames}
    for packet in packets:
        shown = (value[:NONCE_DIGITS] for name in NONCE_IN for value in all_of(packet, name))
        nonce = next((each for each in shown if each in frame_of), None)
        if nonce:
            yield frame_of[nonce], packet
