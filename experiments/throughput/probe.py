"""The experiment `throughput`: how much a mode carries, by TCP and UDP, and what it costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.cpu import Spent, spending
from experiments.throughput import iperf
from experiments.throughput.question import QUESTION

LARGEST = 0  # in `sizes`: as large as the guests' MTU allows
START_S, POLL_S = 5.0, 0.02
EXTRA_S = 15  # for a transfer beside its own time


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Sends in bulk, by each protocol and in packets of each size."""

    sizes: tuple[int, ...]  # bytes of an IP packet
    seconds: int  # of each transfer; iperf3 knows whole ones only
    transfers: int

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: a transfer did not come about.
        """
        source = guests(lab.overlay)[0]
        mtu = lab.overlay.mtu_of(lab.overlay.network_of[source.network_id])
        rows = []
        with context.watch():
            for transfer in range(1, self.transfers + 1):
                for protocol in ("tcp", "udp"):
                    for size in self.sizes:
                        ip_bytes = size or mtu
                        context.say(f"{protocol}, packets of {ip_bytes} bytes")
                        place = {"protocol": protocol, "transfer": transfer}
                        rows.append({**place, **self._row(lab, context, place, ip_bytes)})
        return Measured(rows=tuple(rows), facts={"mtu": mtu})

    def _row(self, lab: Lab, context: Context, place: Row, ip_bytes: int) -> Row:
        source, target = guests(lab.overlay)
        protocol = str(place["protocol"])
        argv = iperf.send(str(target.ipv4[0]), protocol, ip_bytes, self.seconds)
        with _serving(lab, target), spending(lab) as spent:
            report = lab.attempt(source.device_id, *argv, timeout_s=self.seconds + EXTRA_S)
        context.keep(f"{protocol}-{ip_bytes}-{place['transfer']}.json", report.stdout)
        return row(ip_bytes, iperf.bulk(report.stdout, protocol), spent)


def row(ip_bytes: int, bulk: iperf.Bulk, spent: Spent) -> Row:
    """One transfer, with what it cost for each gigabyte (10^9 bytes of payload) that arrived."""
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
    """iperf3, listening in the far guest, for one transfer."""
    server = lab.start(target.device_id, *iperf.serve())
    try:
        end = time.monotonic() + START_S
        while f":{iperf.PORT}" not in lab.run(target.device_id, "ss", "-Hltn"):
            if time.monotonic() > end or server.poll() is not None:
                raise MeasureError(
                    "nobody listens",
                    where=f"iperf3 in {target.device_id!r}",
                    allowed=f"a listener on port {iperf.PORT}",
                    do="Is iperf3 installed? `overlaylab doctor` tells.",
                )
            time.sleep(POLL_S)
        yield
    finally:
        server.terminate()
        server.wait(timeout=5)


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Throughput(sizes=(128, 576, LARGEST), seconds=1, transfers=1),
    quick=Throughput(sizes=(128, 576, LARGEST), seconds=1, transfers=1),
    thresholds=Thresholds(cpu_steal_max=0.1, repeats_min=1),
    watches=True,
    repeats=4,  # modes follow each other: a drift of the machine is no effect of theirs
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "kvxlan-mesh")},
    narrow=narrowed,
)
