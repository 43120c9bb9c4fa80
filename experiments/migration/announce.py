"""A guest that says where it is: by gratuitous ARP, in QEMU's rhythm, or by a broadcast."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Lab
from experiments.measure.frames import (
    ARP,
    BROADCAST,
    LOCAL_EXPERIMENT,
    NOBODY,
    REQUEST,
    arp_packet,
    ethernet,
)
from experiments.measure.sockets import Send, listeners, senders, without

# QEMU's announce-self: at once, then after 50, 150, 250, 350 ms (qapi/net.json, its defaults).
ANNOUNCED_AT_S = (0.0, 0.05, 0.2, 0.45, 0.8)
AGAIN_S = 0.1
HEARD_S = 8.0


@contextmanager
def announcing(lab: Lab, target: Port) -> Iterator[Callable[[], None]]:
    """What sends gratuitous ARP from the guest, in QEMU's rhythm, when called; ends with the block."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with senders(lab.pid(target.device_id), ("eth0",)) as send:

        def announce() -> None:
            threads.append(threading.Thread(target=_announce, args=(send["eth0"], target, over)))
            threads[-1].start()

        try:
            yield announce
        finally:
            over.set()
            for thread in threads:
                thread.join()


def make_heard(lab: Lab, target: Port, witness: str) -> None:
    """Let the guest send a broadcast, until another one, `witness`, has it.

    Not ARP: a kernel VXLAN device with a proxy keeps that to itself.
    """
    frame = ethernet(BROADCAST, target.mac_address, LOCAL_EXPERIMENT, b"here I am")
    end = time.monotonic() + HEARD_S
    with (
        listeners({witness: lab.pid(witness)}, "eth0", LOCAL_EXPERIMENT) as hearing,
        senders(lab.pid(target.device_id), ("eth0",)) as send,
    ):
        awaited = {witness: (hearing[witness], frame)}
        send["eth0"](frame)
        while without(awaited, AGAIN_S):
            if time.monotonic() > end:
                raise MeasureError(
                    f"no broadcast heard within {HEARD_S:g} s",
                    where=f"guest {witness!r}",
                    allowed="one that crosses the network",
                    do="Can the two ping each other?",
                )
            send["eth0"](frame)


def _announce(send: Send, target: Port, over: threading.Event) -> None:
    begun = time.monotonic()
    frame = gratuitous_arp(target)
    for at in ANNOUNCED_AT_S:
        if over.wait(max(0.0, begun + at - time.monotonic())):
            return
        with suppress(OSError):  # the carrier is only just back
            send(frame)


def gratuitous_arp(port: Port) -> bytes:
    """The request for its own address by which a host says where it is (RFC 5227, 3)."""
    mac, ip = port.mac_address, port.ipv4[0]
    return ethernet(BROADCAST, mac, ARP, arp_packet(REQUEST, (mac, ip), (NOBODY, ip)))
