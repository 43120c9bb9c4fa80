"""What a path does to packets of one size: tried by ping, observed by byte counters on the path.

A size has passed a place if the place counted all its bytes.  Other packets of the guests (IPv6
neighbour discovery) are far smaller than one packet of the test, so they cannot replace one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from controller.model.names import UNDERLAY
from controller.model.parts import Port
from controller.system.waiting import scaled
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.measure.ping import SizedPings, parse_sized, sized_ping_argv
from experiments.mtu.words import (
    CONTROL_AFTER,
    CONTROL_BEFORE,
    DROPPED,
    FRAG_NEEDED,
    FRAGMENTED,
    LOST_FRAGMENTS,
    NOWHERE,
    PLACES,
    REFUSED,
    SOME,
    WHOLE,
)

FRAGMENTS = "fragments"  # a counter, and a column
TRIES = 3  # of a size that should pass: a machine may stall for a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """How many pings of a size, how long to wait, and how often to try without an answer."""

    count: int
    wait_s: float
    tries: int


@dataclass(slots=True, kw_only=True)
class Path:
    """The path from one guest to another; keeps all output of ping."""

    lab: Lab
    source: Port
    target: Port
    context: Context
    tried: list[Row] = field(default_factory=list)  # a row for each run of ping

    def ping(self, ip_bytes: int, pings: Pings, *, df: bool, why: str) -> SizedPings:
        """Pings of one size, again while replies are missing and there is no error that explains it."""
        node, target = self.source.device_id, str(self.target.ipv4[0])
        wait_s = scaled(pings.wait_s)
        argv = sized_ping_argv(target, ip_bytes, df=df, count=pings.count, wait_s=wait_s)
        attempt = 0
        while True:
            attempt += 1
            # ping's exit status 1 means loss, which is a result here.
            done = self.lab.attempt(node, *argv)
            number = len(self.tried) + 1
            text = f"# {node}: {' '.join(argv)}\n{done.stdout}{done.stderr}"
            self.context.keep(f"ping-{number:03}-{ip_bytes}{'-df' if df else ''}.txt", text)
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
            if pinged.is_final or attempt >= pings.tries:
                return pinged

    def set_guest_mtu(self, mtu: int) -> None:
        """Give both guests an MTU [bytes]."""
        for port in (self.source, self.target):
            self.lab.run(port.device_id, "ip", "link", "set", "eth0", "mtu", str(mtu))

    def counters(self) -> Mapping[str, int]:
        """Bytes that have passed each of PLACES, and fragments that the sending guest has made."""
        near, far = map(self.lab.overlay.device_of, (self.source, self.target))
        counters = (
            (self.source.host, f"{near}/statistics/rx", f"{UNDERLAY}/statistics/tx"),
            (self.target.host, f"{UNDERLAY}/statistics/rx", f"{far}/statistics/tx"),
        )
        texts = (
            self.lab.run(host, "cat", *(f"/sys/class/net/{each}_bytes" for each in files))
            for host, *files in counters
        )
        passed = dict(zip(PLACES, map(int, " ".join(texts).split()), strict=True))
        snmp = self.lab.run(self.source.device_id, "cat", "/proc/net/snmp")
        names, values = (line.split() for line in snmp.splitlines() if line.startswith("Ip:"))
        return {**passed, FRAGMENTS: int(dict(zip(names, values, strict=True))["FragCreates"])}

    def outcomes(
        self, named: Mapping[int, str], limit: int, pings: Pings, *, guest: str, guest_mtu: int
    ) -> Iterator[Row]:
        """A row for each size with DF and without; between two controls of the limit.

        Args:
            named: names of sizes, by size [bytes].
            guest: TOO_LARGE or RIGHT.
        """
        wanted = (
            (limit, CONTROL_BEFORE, True),
            *((size, name, df) for df in (True, False) for size, name in named.items()),
            (limit, CONTROL_AFTER, True),
        )
        before = self.counters()
        for ip_bytes, name, df in wanted:
            should_pass = ip_bytes <= limit or (not df and guest_mtu <= limit)
            patient = replace(pings, tries=max(pings.tries, TRIES if should_pass else 1))
            first = len(self.tried)
            pinged = self.ping(ip_bytes, patient, df=df, why=name)
            sent = sum(int(row["sent"] or 0) for row in self.tried[first:])
            after = self.counters()
            counted = {name: after[name] - before[name] for name in after}
            before = after
            yield {
                "guest": guest,
                "guest_mtu": guest_mtu,
                "size": name,
                "ip_bytes": ip_bytes,
                "df": int(df),
                "sent": pinged.sent,
                "answered": pinged.answered,
                "outcome": outcome_of(pinged, counted[FRAGMENTS]),
                "reported_mtu": pinged.icmp_mtu or pinged.refused_mtu,
                "icmp_from": pinged.icmp_from,
                FRAGMENTS: counted[FRAGMENTS],
                **{f"{place}_bytes": counted[place] for place in PLACES},
                "reached": last_place(ip_bytes * sent, counted),
            }


def outcome_of(pinged: SizedPings, fragments: int) -> str:
    """The outcome of a size."""
    if pinged.icmp_mtu:
        return FRAG_NEEDED
    if pinged.is_refused:
        return REFUSED
    if pinged.is_complete:
        return FRAGMENTED if fragments else WHOLE
    if pinged.answered:
        return SOME
    return LOST_FRAGMENTS if fragments else DROPPED


def last_place(sent_bytes: int, passed: Mapping[str, int]) -> str:
    """The last place that all bytes passed; NOWHERE if not even the first."""
    reached = takewhile(lambda place: passed[place] >= sent_bytes, PLACES)
    return (NOWHERE, *reached)[-1]
