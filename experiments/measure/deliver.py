"""Frames sent a few at a time, each awaited where it should arrive."""

import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.mactable.labs import Frame, in_turn
from experiments.measure.frames import NONCE
from experiments.measure.sockets import FRAME_MOST, Send

AT_ONCE = 24  # frames under way: no packet socket on their path is overrun
HEARD_S = 1.0
TIMES = 5  # that a broadcast is sent until it is heard
HEAD = 14  # bytes of Ethernet before the nonce


@dataclass(frozen=True, slots=True)
class Letter:
    """A frame, who sends it, and the host, from 0, whose guest should hear it."""

    send: Send
    frame: Frame
    ear: int


@dataclass(frozen=True, slots=True)
class Ears:
    """A listening socket of one guest on each host, all read at once so that none is overrun."""

    sockets: tuple[socket.socket, ...]

    def deliver(self, letters: Sequence[Letter], *, times: int = 1) -> int:
        """Send all, some at a time; return how many were never heard, however often sent."""
        unlearned = 0
        for some in in_turn(tuple(letters), AT_ONCE):
            waiting = {(each.ear, each.frame.nonce): each for each in some}
            for _ in range(times):
                for each in waiting.values():
                    each.send(each.frame.data)
                self._await(waiting)
                if not waiting:
                    break
            unlearned += len(waiting)
        return unlearned

    def _await(self, waiting: dict[tuple[int, bytes], Letter]) -> None:
        """Take out of `waiting` what is heard, until all is or nothing more comes in time."""
        which = {each.fileno(): number for number, each in enumerate(self.sockets)}
        end = time.monotonic() + HEARD_S
        while waiting and (left := end - time.monotonic()) > 0:
            for ready in select.select(self.sockets, (), (), left)[0]:
                nonce = ready.recv(FRAME_MOST)[HEAD : HEAD + NONCE]
                waiting.pop((which[ready.fileno()], nonce), None)
