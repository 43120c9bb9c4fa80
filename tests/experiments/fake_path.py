"""A lab whose largest packet is known; its answers are those of real labs, with counters and TCP."""

import json
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from controller.model.overlay import Overlay
from experiments.core.experiment import Context

TUNNEL, ETHERNET = 50, 14
LISTENING = "   0: 00000000:1451 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0\n"
FRAGMENT = 8  # bytes: fragments begin at its multiples (RFC 791)


@dataclass
class FakePath:
    """No IP packet above `limit` passes from guest to guest; `icmp`: a router sends ICMP."""

    overlay: Overlay
    limit: int
    icmp: bool = False
    lose_first: int = 0  # runs of ping that fail although they should pass
    dead_from: int = 10**9  # no packet passes from this run of ping on
    wire_carries_all: bool = False  # packets are dropped after the wire instead
    starts_after: int = 0  # checks until the server listens
    guest_mtu: int = 0
    fragments: int = 0
    pings: int = 0
    counters: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    started: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self):
        self.guest_mtu = self.guest_mtu or self.overlay.mtu_of(self.overlay.networks[0])

    def run(self, node, *argv, timeout_s=10):
        return self.attempt(node, *argv, timeout_s=timeout_s).stdout

    def attempt(self, node, *argv, timeout_s=10):
        answer = {"ping": self._ping, "cat": self._cat, "ip": self._ip}
        out = answer[argv[0]](node, argv) if argv[0] in answer else "0\n0\n1024\n"
        return CompletedProcess(argv, 0, out, "")

    def start(self, node, *argv, stdout=None, stderr=None):
        self.started.append((node, *argv))
        return FakeProcess(json.dumps(self._sent(int(argv[-3]))) if "send" in argv else "")

    def _sent(self, wanted):
        if self.starts_after:
            return {
                "connected": False,
                "greeted": False,
                "sent": 0,
                "received": None,
                "seconds": None,
            }
        report = {
            "connected": True,
            "greeted": True,
            "sent": min(wanted, 10**6),
            "mss": self.guest_mtu - 52,
            "acked_before": 101,
        }
        if self.guest_mtu > self.limit:
            return {**report, "received": None, "seconds": None, "acked": 101, "retransmits": 2}
        arrived = report["sent"]
        seconds = 8 / self.guest_mtu  # larger packets are faster
        return {
            **report,
            "received": arrived,
            "seconds": seconds,
            "acked": 103 + arrived,
            "retransmits": 0,
        }

    def _ip(self, node, argv):
        self.guest_mtu = int(argv[-1])
        return ""

    def _cat(self, node, argv):
        if argv[1] == "/proc/net/tcp":
            self.starts_after = max(0, self.starts_after - 1)
            return "" if self.starts_after else LISTENING
        if argv[1] == "/proc/net/snmp":
            return f"Ip: Forwarding FragCreates\nIp: 2 {self.fragments}\nIcmp: A\nIcmp: 1\n"
        first = 0 if "rx" in argv[1] and "qvo" in argv[1] else 2
        return f"{self.counters[first]}\n{self.counters[first + 1]}\n"

    def _ping(self, node, argv):
        self.pings += 1
        count, size = (int(argv[argv.index(flag) + 1]) for flag in ("-c", "-s"))
        ip_bytes, df = size + 28, argv[argv.index("-M") + 1] == "do"
        if df and ip_bytes > self.guest_mtu:
            errors = f"ping: local error: message too long, mtu={self.guest_mtu}\n" * count
            return errors + total(count, 0, errors=count)
        parts = pieces(ip_bytes, self.guest_mtu)
        self.fragments += count * len(parts) if len(parts) > 1 else 0
        passes = max(parts) <= self.limit and self.pings < self.dead_from
        if passes and self.lose_first and self.pings > 1:
            self.lose_first -= 1
            passes = False
        self._count(count, parts, passes=passes)
        if not passes and self.icmp and df:
            error = f"[1.0] From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = {self.limit})\n"
            return error + total(count, 0, errors=count)
        return total(count, count if passes else 0)

    def _count(self, count, parts, *, passes):
        frame = count * sum(part + ETHERNET for part in parts)
        reached = 4 if passes else 3 if self.wire_carries_all else 1
        for place in range(reached):
            self.counters[place] += frame + (TUNNEL * count if place in {1, 2} else 0)


@dataclass
class FakeProcess:
    """A command that has ended already."""

    output: str

    def communicate(self, timeout=None):
        return self.output.encode(), None

    def wait(self, timeout=None):
        return 0

    def kill(self):
        pass


def pieces(ip_bytes, mtu):
    """The sizes of the fragments that a kernel makes of an IP packet."""
    if ip_bytes <= mtu:
        return [ip_bytes]
    step = (mtu - 20) // FRAGMENT * FRAGMENT
    data = ip_bytes - 20
    return [min(step, data - at) + 20 for at in range(0, data, step)]


def total(sent, received, errors=0):
    more = f", +{errors} errors" if errors else ""
    loss = 100 * (sent - received) // sent
    return f"{sent} packets transmitted, {received} received{more}, {loss}% packet loss, time 0ms\n"


def context(folder: Path) -> Context:
    """Keeps raw output in `folder`."""

    def keep(name, text):
        assert re.fullmatch(r"[a-z0-9.-]+", name), name
        (folder / name).write_text(text, encoding="utf-8")

    return Context(keep=keep, path=folder.joinpath, watch=nullcontext, say=lambda _: None, seed=1)
