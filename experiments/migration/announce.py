"""Frames by which a guest announces itself: gratuitous ARP at the times of QEMU, or a broadcast."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from controller.model.parts import Port
from controller.system.waiting import wait_for
from experiments.core.experiment import Lab
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, arp_request, ethernet
from experiments.measure.sockets import Send, receivers, senders, without

# QEMU announce-self: at once, then after 50, 150, 250 and 350 ms (defaults of qapi/net.json).
ANNOUNCED_AT_S = (0.0, 0.05, 0.2, 0.45, 0.8)
RETRY_S = 0.1
ARRIVAL_S = 8.0


@contextmanager
def announcing(lab: Lab, target: Port) -> Iterator[Callable[[], None]]:
    """A function that sends gratuitous ARP from the guest as QEMU does; it stops with the block."""
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


def teach_mac(lab: Lab, target: Port, witness: str) -> None:
    """Send broadcasts from the guest until another guest, `witness`, receives one.

    Not ARP: a kernel VXLAN device with ARP proxy does not forward it.

    Raises:
        WaitError: it receives none.
    """
    frame = ethernet(BROADCAST, target.mac_address, LOCAL_EXPERIMENT, b"announcement")
    with (
        receivers({witness: lab.pid(witness)}, "eth0", LOCAL_EXPERIMENT) as receiving,
        senders(lab.pid(target.device_id), ("eth0",)) as send,
    ):

        def is_received() -> bool:
            send["eth0"](frame)
            return not without({witness: (receiving[witness], frame)}, RETRY_S)

        wait_for(is_received, ARRIVAL_S, what=f"a broadcast of the moving guest at {witness!r}")


def _announce(send: Send, target: Port, over: threading.Event) -> None:
    begun = time.monotonic()
    frame = gratuitous_arp(target)
    for at in ANNOUNCED_AT_S:
        if over.wait(max(0.0, begun + at - time.monotonic())):
            return
        with suppress(OSError):  # the carrier has only just returned
            send(frame)


def gratuitous_arp(port: Port) -> bytes:
    """An ARP request of a host for its own address (RFC 5227, section 3)."""
    return arp_request(port.mac_address, port.ipv4[0], target=port.ipv4[0])
