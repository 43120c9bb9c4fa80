"""Frames sent a few at a time; each is awaited at the host where it should arrive."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from experiments.core.experiment import Lab
from experiments.mactable.labs import Frame
from experiments.measure import sockets
from experiments.measure.frames import nonce_in
from experiments.measure.sockets import Send, received
from topologies.plan.plan import guest_name

NO_IPV6 = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
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
        lab.run(guest_name(port), "sysctl", "-qw", *NO_IPV6)
    with sockets.endpoints(lab) as ends:
        yield Endpoints(
            tuple(ends.send[port.id] for port in ports),
            tuple(ends.sockets[port.id] for port in ports),
        )
