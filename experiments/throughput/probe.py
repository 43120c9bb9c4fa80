"""The experiment `throughput`: how much a mode carries, by TCP and UDP, and what it costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.measure.cpu import Spent, spending
from experiments.throughput import iperf

LARGEST = 0  # in `sizes`: as large as the guests' MTU allows
START_S, POLL_S = 5.0, 0.02
EXTRA_S = 15  # for a transfer beside its own time


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Sends in bulk, by each protocol and in packets of each size."""

    sizes: tuple[int, ...]  # bytes of an IP packet
    seconds: int  # of each transfer; iperf3 knows whole ones only
    repeats: int

    def __call__(self, bench: Bench, _: Point, tools: Tools, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: a transfer did not come about.
        """
        source = guests(bench.overlay)[0]
        mtu = bench.overlay.mtu_of(bench.overlay.network_of[source.network_id])
        rows = []
        with tools.watch():
            for repeat in range(1, self.repeats + 1):
                for protocol in ("tcp", "udp"):
                    for size in self.sizes:
                        ip_bytes = size or mtu
                        tools.say(f"{protocol}, packets of {ip_bytes} bytes")
                        place = {"protocol": protocol, "repeat": repeat}
                        rows.append({**place, **self._row(bench, tools, place, ip_bytes)})
        return Measured(rows=tuple(rows), facts={"mtu": mtu})

    def _row(self, bench: Bench, tools: Tools, place: Row, ip_bytes: int) -> Row:
        source, target = guests(bench.overlay)
        protocol = str(place["protocol"])
        argv = iperf.send(str(target.ipv4[0]), protocol, ip_bytes, self.seconds)
        with _serving(bench, target), spending(bench) as spent:
            told = bench.attempt(source.device_id, *argv, timeout_s=self.seconds + EXTRA_S)
        tools.keep(f"{protocol}-{ip_bytes}-{place['repeat']}.json", told.stdout)
        return row(ip_bytes, iperf.bulk(told.stdout, protocol), spent)


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
def _serving(bench: Bench, target: Port) -> Iterator[None]:
    """iperf3, listening in the far guest, for one transfer."""
    server = bench.start(target.device_id, *iperf.serve())
    try:
        end = time.monotonic() + START_S
        while f":{iperf.PORT}" not in bench.run(target.device_id, "ss", "-Hltn"):
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


THROUGHPUT = Experiment(
    question=Question(
        name="throughput",
        asks="How much does a mode carry, in packets of each size, and what does it cost?",
        unit="Mbit/s",
        value="goodput_mbit_s",
        factors={
            "mode": (
                "flat",
                "vlan",
                "gre-mesh",
                "gre-l2pop",
                "vxlan-mesh",
                "vxlan-l2pop",
                "geneve-mesh",
                "kvxlan-multicast",
                "kvxlan-mesh",
                "kvxlan-l2pop",
            ),
        },
        teller="throughput",
        predictions=(
            Prediction(
                says="GRE carries as much as VXLAN, within a quarter, in packets of the same size",
                because=(
                    "in user space a packet costs system calls and wake-ups; whether 8 or 16 bytes "
                    "are put before it is next to nothing"
                ),
                of="gre to vxlan",
                low=0.75,
                high=1.33,
            ),
            Prediction(
                says="l2population carries as much as a mesh, within a quarter",
                because="once a MAC is known, both send one copy by one cached flow",
                of="l2pop to mesh",
                low=0.75,
                high=1.33,
            ),
            Prediction(
                says="UDP in packets of 576 bytes carries at least twice what packets of 128 do",
                because=(
                    "the work is by the packet, and 548 bytes of payload are 5.5 times 100; below "
                    "that factor only as far as sending itself takes the processors"
                ),
                of="576 to 128",
                low=2.0,
                high=8.0,
            ),
            Prediction(
                says="kernel VXLAN carries at least twice what user space does, at the largest size",
                because="no packet is copied to a daemon and back; and of TCP the far guest gets many "
                "packets in one (GRO of the VXLAN device), which is why UDP is measured beside it",
                of="kernel to user space",
                low=2.0,
                high=50.0,
            ),
            Prediction(
                says="packets of 128 bytes take 2 to 8 times the processor time, for a gigabyte, that "
                "packets of 576 do, in every mode, by TCP and by UDP",
                because="the work is by the packet, and 576 bytes carry 5.5 (UDP: 548 to 100) or 6.9 "
                "times as much (TCP with timestamps: 524 to 76); less than that only as far as the "
                "work is by the byte, or the kernel joins TCP's packets",
                of="CPU time, 128 to 576",
                low=2.0,
                high=8.0,
            ),
            Prediction(
                says="user space takes at least twice the processor time of kernel VXLAN, for a "
                "gigabyte in the largest packets",
                because="of each packet the daemon reads and writes a copy by system calls, at both "
                "ends; the kernel hands it on as it is",
                of="CPU time, user space to kernel",
                low=2.0,
                high=50.0,
            ),
        ),
        columns={
            "protocol": "tcp, or udp as fast as the sender can",
            "repeat": "number of the transfer of its kind, from 1",
            "ip_bytes": "bytes of an IP packet as it is sent: TCP by its MSS, UDP by the payload; the "
            "kernel's VXLAN joins TCP's again before the far guest (GRO of its device)",
            "goodput_mbit_s": "payload that arrived",
            "cpu_s_per_gb": "seconds of a processor, all of the machine, for 10^9 bytes that arrived",
            "switch_s_per_gb": "of these, by ovs-vswitchd",
            "sent_bytes": "payload that was sent",
            "lost_packets": "UDP packets that did not arrive",
            "retransmits": "TCP segments sent again",
        },
    ),
    probe=Throughput(sizes=(128, 576, LARGEST), seconds=1, repeats=1),
    quick=Throughput(sizes=(128, 576, LARGEST), seconds=1, repeats=1),
    thresholds=Thresholds(cpu_steal_max=0.1, blocks_min=1),
    watches=True,
    blocks=4,  # modes follow each other: a drift of the machine is no effect of theirs
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "kvxlan-mesh")},
    narrow=narrowed,
)
