"""The experiment `latency`: what a tunnel, and its way of flooding, cost a ping."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

from experiments.experiment import Bench, Experiment, Measured, Tools
from experiments.instruments.ping import Pinged, parse_ping
from experiments.question import Point, Prediction, Question, Row
from experiments.verdict import Thresholds
from topologies.errors import MeasureError
from topologies.model import Overlay, Port

SLACK_S = 10.0  # for starting ping, and for its wait for a last reply
TICKS_PER_ASKED = 4  # ping keeps 16 ms where 10 are asked (its timer has kernel ticks), 4 ms for 1


def guests(overlay: Overlay) -> tuple[Port, Port]:
    """The first two guests of one network that stand on different hosts.

    Raises:
        MeasureError: there is no such pair.
    """
    for network in overlay.networks:
        ports = [port for port in overlay.active_ports(network.id) if port.ipv4 and port.device_id]
        for one, other in combinations(ports, 2):
            if one.host != other.host:
                return one, other
    raise MeasureError(
        "no two guests of one network on different hosts",
        where=f"overlay {overlay.name!r}",
        allowed="a network with IPv4 guests on two hosts",
        do="Add a port on another host to the scenario.",
    )


def narrowed(overlay: Overlay) -> Overlay:
    """The overlay with the network of `guests` alone: `flat` can carry but one on an underlay.

    Raises:
        MeasureError: there are no such guests.
    """
    measured = guests(overlay)[0].network_id
    return replace(
        overlay,
        networks=tuple(each for each in overlay.networks if each.id == measured),
        subnets=tuple(each for each in overlay.subnets if each.network_id == measured),
        ports=tuple(each for each in overlay.ports if each.network_id == measured),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """Ping from one guest to the other: once cold, a few times to warm up, then for the record."""

    pings: int
    warmup_pings: int
    interval_ms: int = 10  # asked of ping; run.json has what it kept, by round
    payload_bytes: int = 56  # of ICMP

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: not one reply came while warm, or ping could not be read.
        """
        source, target = pair = guests(bench.overlay)
        cold = _what_is_cold(bench, source, target, tools)
        first = self._ping(bench, pair, "cold", 1, tools)
        warmup = self._ping(bench, pair, "warmup", self.warmup_pings, tools)
        with tools.watch():
            warm = self._ping(bench, pair, "warm", self.pings, tools)
        if warm.lost == len(warm.replies):
            raise _silent(source, target, point)
        phases = (("cold", first), ("warmup", warmup), ("warm", warm))
        return Measured(
            rows=tuple(row for name, pinged in phases for row in self._rows(name, pinged)),
            facts={"cold": cold, "kept_interval_ms": warm.kept_interval_ms},
            lost=warm.lost, duplicates=warm.duplicates,
        )  # fmt: skip

    def _ping(
        self, bench: Bench, pair: tuple[Port, Port], phase: str, count: int, tools: Tools
    ) -> Pinged:
        source, target = pair
        argv = (
            "ping", "-n", "-D", "-i", f"{self.interval_ms / 1000:g}", "-c", str(count),
            "-W", "2", "-s", str(self.payload_bytes), str(target.ipv4[0]),
        )  # fmt: skip
        timeout_s = SLACK_S + TICKS_PER_ASKED * count * self.interval_ms / 1000
        # Exit status 1 is ping's word for loss, which is a result here.
        done = bench.attempt(source.device_id, *argv, timeout_s=timeout_s)
        asked = f"# {source.device_id}: {' '.join(argv)}"
        tools.keep(f"ping-{phase}.txt", f"{asked}\n{done.stdout}{done.stderr}")
        return parse_ping(done.stdout)

    def _rows(self, phase: str, pinged: Pinged) -> Iterable[Row]:
        return (
            {
                "phase": phase,
                "seq": reply.seq,
                "interval_ms": self.interval_ms,
                "payload_bytes": self.payload_bytes,
                "received_s": reply.received_s,
                "rtt_ms": reply.rtt_ms,
                "copies": reply.copies,
            }
            for reply in pinged.replies
        )


def _what_is_cold(bench: Bench, source: Port, target: Port, tools: Tools) -> dict[str, object]:
    """What the first ping will find already known; looked up, not assumed."""

    def look(name: str, node: str, *argv: str) -> str:
        done = bench.attempt(node, *argv)
        tools.keep(f"before-{name}.txt", f"# {node}: {' '.join(argv)}\n{done.stdout}{done.stderr}")
        return done.stdout

    neighbours = look("guest-arp", source.device_id, "ip", "-4", "neigh", "show")
    learned = look("br-tun-20", source.host, "ovs-ofctl", "dump-flows", "br-tun", "table=20")
    megaflows = look("megaflows", source.host, "ovs-appctl", "dpctl/dump-flows", "-m")
    mac = target.mac_address
    return {
        "guest_arp_known": str(target.ipv4[0]) in neighbours,
        "far_guest_in_table_20": mac in learned,  # learned, or told by l2population
        "megaflow_to_far_guest": f"dst={mac}" in megaflows,
        "vtep_neighbours": "resolved when the lab was ready",
    }


def _silent(source: Port, target: Port, point: Point) -> MeasureError:
    return MeasureError(
        "not one reply",
        where=f"ping from {source.device_id} to {target.device_id} ({dict(point)})",
        allowed="replies",
        do="Raise the same lab with `overlaylab up` and look; raw/ has ping's output.",
    )


LATENCY = Experiment(
    question=Question(
        name="latency",
        asks="What does a tunnel cost a ping, and does the way of flooding matter once warm?",
        unit="ms",
        value="rtt_ms",
        factors={"mode": ("flat", "gre-mesh", "vxlan-l2pop")},
        baseline={"mode": "flat"},
        teller="levels",
        predictions=(
            Prediction(
                low=0.0,
                high=0.1,
                says="a tunnel, whichever, adds 0 to 0.1 ms to the untunnelled round trip",
                because=(
                    "a packet passes the same two switch daemons with a tunnel or without; "
                    "encapsulation only adds a header there, which is far cheaper than waking the "
                    "daemon up, and a warm unicast follows one rule of table 20 in either way of "
                    "flooding"
                ),
                silent_on=("flat", "vlan"),
            ),
        ),
        margin=0.05,
        margin_because="it is less than the jitter of waking a daemon up (p50 0.015, p90 0.103 ms)",
        columns={
            "mode": "how the overlay is carried; flat is untunnelled through the same bridges",
            "phase": "cold: the first ping of a fresh lab; warmup: thrown away; warm: compared",
            "seq": "ICMP sequence number within its phase, from 1",
            "interval_ms": "interval asked of ping; run.json says which it kept",
            "payload_bytes": "ICMP payload; the IP packet has 28 bytes more",
            "received_s": "Unix time at which ping read the reply; empty if lost",
            "rtt_ms": "round-trip time as ping printed it (3 digits); empty if lost",
            "copies": "replies beyond the first",
        },
    ),
    probe=Pings(pings=200, warmup_pings=20),
    quick=Pings(pings=100, warmup_pings=10),
    thresholds=Thresholds(cpu_idle_min=0.5, cpu_steal_max=0.05, lost_max=0, duplicates_max=0),
    narrow=narrowed,
)
