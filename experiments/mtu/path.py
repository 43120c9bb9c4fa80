"""What a path does to packets of one size: tried by ping, watched by the counters on the way.

The counters are of bytes, and a size is said to have passed a place if it has carried all of
them: guests' own small talk (IPv6 neighbour discovery) is far less than one packet, and so
cannot stand for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.model.parts import Port
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.measure.ping import SizedPings, parse_sized, sized_ping_argv
from experiments.mtu.words import (
    FRAGMENTED,
    LOST_FRAGMENTS,
    NOWHERE,
    PLACES,
    REFUSED,
    SILENT,
    SOME,
    TOLD,
    WHOLE,
)

UNDERLAY = "underlay"  # a compute host's end of its wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many pings of a size, how long they are waited for, and how often a silence is doubted."""

    count: int
    wait_s: float
    tries: int


@dataclass(slots=True, kw_only=True)
class Path:
    """From one guest to another; keeps all that ping said."""

    lab: Lab
    source: Port
    target: Port
    context: Context
    tried: list[Row] = field(default_factory=list)  # one row per run of ping

    def ping(self, ip_bytes: int, patience: Patience, *, df: bool, why: str) -> SizedPings:
        """Pings of one size, again while some are missing and nobody said why."""
        pinged, attempt = self._once(ip_bytes, patience, df=df, why=why, attempt=1), 1
        while not pinged.is_final and attempt < patience.tries:
            attempt += 1
            pinged = self._once(ip_bytes, patience, df=df, why=why, attempt=attempt)
        return pinged

    def _once(
        self, ip_bytes: int, patience: Patience, *, df: bool, why: str, attempt: int
    ) -> SizedPings:
        argv = sized_ping_argv(
            str(self.target.ipv4[0]), ip_bytes, df=df, count=patience.count, wait_s=patience.wait_s
        )
        # Exit status 1 is ping's word for loss, which is a result here.
        done = self.lab.attempt(self.source.device_id, *argv)
        number = len(self.tried) + 1
        said = f"# {self.source.device_id}: {' '.join(argv)}\n{done.stdout}{done.stderr}"
        self.context.keep(f"ping-{number:03}-{ip_bytes}{'-df' if df else ''}.txt", said)
        pinged = parse_sized(done.stdout + done.stderr)
        self.tried.append(
            {
                "ping": number,
                "why": why,
                "attempt": attempt,
                "ip_bytes": ip_bytes,
                "df": int(df),
                "sent": pinged.sent,
                "answered": pinged.answered,
                "refused": int(pinged.is_refused),
            }
        )
        return pinged

    def set_guest_mtu(self, mtu: int) -> None:
        """Give both guests an MTU [bytes]."""
        for port in (self.source, self.target):
            self.lab.run(port.device_id, "ip", "link", "set", "eth0", "mtu", str(mtu))

    def carried(self) -> Mapping[str, int]:
        """Bytes that each place on the way has carried so far."""
        near, far = map(self.lab.overlay.device_of, (self.source, self.target))
        here = self._bytes(self.source.host, f"{near}/statistics/rx", f"{UNDERLAY}/statistics/tx")
        there = self._bytes(self.target.host, f"{UNDERLAY}/statistics/rx", f"{far}/statistics/tx")
        return dict(zip(PLACES, (*here, *there), strict=True))

    def _bytes(self, node: str, *counters: str) -> tuple[int, ...]:
        files = (f"/sys/class/net/{each}_bytes" for each in counters)
        return tuple(map(int, self.lab.run(node, "cat", *files).split()))

    def fragments(self) -> int:
        """Fragments that the sending guest has made so far."""
        snmp = self.lab.run(self.source.device_id, "cat", "/proc/net/snmp")
        names, values = (line.split() for line in snmp.splitlines() if line.startswith("Ip:"))
        return int(dict(zip(names, values, strict=True))["FragCreates"])


def outcome_of(pinged: SizedPings, fragments: int) -> str:
    """What became of a size, in a word."""
    if pinged.icmp_mtu:
        return TOLD
    if pinged.is_refused:
        return REFUSED
    if pinged.is_complete:
        return FRAGMENTED if fragments else WHOLE
    if pinged.answered:
        return SOME
    return LOST_FRAGMENTS if fragments else SILENT


def went_as_far_as(sent_bytes: int, grown: Mapping[str, int]) -> str:
    """The last place that all went through; NOWHERE if not even the first."""
    last = NOWHERE
    for place in PLACES:
        if grown[place] < sent_bytes:
            return last
        last = place
    return last
