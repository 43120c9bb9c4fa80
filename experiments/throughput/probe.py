"""Measures `throughput`: sends in bulk by TCP and UDP, and counts the CPU time that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

from controller.model.errors import MeasureError
from controller.model.parts import Port
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.usage import Spent, spending
from experiments.throughput import iperf
from experiments.throughput.question import QUESTION
from experiments.throughput.words import TCP, UDP

LARGEST = 0  # in `sizes`: as large as the guests' MTU allows
START_S, STOP_S = 5.0, 5.0
CONNECT_S = 3.0
EXTRA_S = 15  # for a transfer, in addition to its own time


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Sends in bulk, by each protocol and with packets of each size."""

    sizes: tuple[int, ...]  # bytes of an IP packet
    seconds: int  # of each transfer; iperf3 takes whole ones only
    transfers: int

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: a transfer failed.
        """
        source, target = guests(lab.overlay)
        mtu = lab.overlay.mtu_of(lab.overlay.network_of[source.network_id])
        rows = []
        with context.watch():
            for transfer, protocol, size in product(
                range(1, self.transfers + 1), (TCP, UDP), self.sizes
            ):
                ip_bytes = size or mtu
                context.say(f"{protocol}, packets of {ip_bytes} bytes")
                argv = iperf.client_argv(
                    str(target.ipv4[0]),
                    protocol,
                    ip_bytes,
                    self.seconds,
                    connect_s=scaled(CONNECT_S),
                )
                with _serving(lab, target), spending(lab) as spent:
                    done = lab.attempt(source.device_id, *argv, timeout_s=self.seconds + EXTRA_S)
                context.keep(f"{protocol}-{ip_bytes}-{transfer}.json", done.stdout)
                row = transfer_row(ip_bytes, iperf.parse_bulk(done.stdout, protocol), spent)
                rows.append({"protocol": protocol, "transfer": transfer, **row})
        return Measured(rows=tuple(rows), facts={"mtu": mtu})


def transfer_row(ip_bytes: int, bulk: iperf.Bulk, spent: Spent) -> Row:
    """One transfer, with its CPU time for each gigabyte (10^9 bytes of payload) that arrived."""
    gigabytes = bulk.received_bytes / 1e9
    return {
        "ip_bytes": ip_bytes,
        "goodput_mbit_s": round(bulk.mbit_per_s, 3),
        "cpu_s_per_gb": round(spent.machine_s / gigabytes, 3) if gigabytes else None,
        "switch_s_per_gb": round(spent.switches_s / gigabytes, 3) if gigabytes else None,
        "sent_bytes": bulk.sent_bytes,
        "lost_packets": bulk.lost_packets,
        "retransmits": bulk.retransmits,
    }


@contextmanager
def _serving(lab: Lab, target: Port) -> Iterator[None]:
    """Run iperf3 in the receiving guest, for one transfer."""
    server = lab.start(target.device_id, *iperf.SERVER)

    def is_listening() -> bool:
        if server.poll() is not None:
            raise MeasureError(
                f"the server ended with exit status {server.returncode}",
                where=f"iperf3 in {target.device_id!r}",
                allowed=f"a listener on port {iperf.PORT}",
                do="`overlaylab doctor` shows whether iperf3 is installed.",
            )
        return f":{iperf.PORT}" in lab.run(target.device_id, "ss", "-Hltn")

    try:
        wait_for(
            is_listening, START_S, what=f"iperf3 to listen in {target.device_id!r}", every_s=0.02
        )
        yield
    finally:
        server.terminate()
        server.wait(timeout=scaled(STOP_S))


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Throughput(sizes=(128, 576, LARGEST), seconds=1, transfers=1),
    quick=Throughput(sizes=(128, 576, LARGEST), seconds=1, transfers=1),
    thresholds=Thresholds(cpu_steal_max=0.1, cpu_others_max=0.2, repeats_min=1),
    watches=True,
    repeats=4,  # labs are measured one after the other: a slow period must not decide
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "kvxlan-mesh")},
    narrow=narrowed,
)
