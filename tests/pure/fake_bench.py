"""A lab that never was: answers a probe's commands with what real ones printed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import CompletedProcess

from topologies.model import Overlay

RTT_MS = {"flat": 0.40, "gre": 0.46, "vxlan": 0.47}
ETHTOOL = (
    "Features for eth0:\nrx-checksumming: on\ntx-checksumming: off\n\ttx-lockless: off [fixed]\n"
)


def ping_output(count, rtt_ms, *, lose=()):
    """As iputils prints it; the times rise a little from ping to ping."""
    lines = ["PING 172.16.166.125 (172.16.166.125) 56(84) bytes of data."]
    for seq in range(1, count + 1):
        if seq in lose:
            lines.append(f"[{1000 + seq * 0.016:.6f}] no answer yet for icmp_seq={seq}")
        else:
            lines.append(
                f"[{1000 + seq * 0.016:.6f}] 64 bytes from 172.16.166.125: icmp_seq={seq} "
                f"ttl=64 time={rtt_ms + seq / 10000:.3g} ms"
            )
    got = count - len(set(lose))
    told = (
        f"{count} packets transmitted, {got} received, {100 * (count - got) // count}% packet loss"
    )
    return "\n".join(
        [*lines, "", "--- 172.16.166.125 ping statistics ---", f"{told}, time 9ms", ""]
    )


@dataclass
class FakeBench:
    """One lab; keeps what it was asked."""

    overlay: Overlay
    asked: list[tuple[str, ...]] = field(default_factory=list)
    lose: tuple[int, ...] = ()  # of the warm pings
    warm_pings: int = 0
    extra_ms: float = 0.0

    def run(self, node, *argv, timeout_s=10):
        return self.attempt(node, *argv, timeout_s=timeout_s).stdout

    def attempt(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        return CompletedProcess(argv, 0, self._answer(argv), "")

    def _answer(self, argv):
        if argv[0] == "ping":
            count = int(argv[argv.index("-c") + 1])
            rtt_ms = RTT_MS[str(self.overlay.networks[0].network_type)] + self.extra_ms
            return ping_output(count, rtt_ms, lose=self.lose if count == self.warm_pings else ())
        return {"cat": "1450\n", "ethtool": ETHTOOL}.get(argv[0], "")


@dataclass
class FakeLabs:
    """Raises them, one after the other, and knows whether one is still up."""

    made: list[FakeBench] = field(default_factory=list)
    up: int = 0
    options: dict[str, object] = field(default_factory=dict)
    fail_at: int = 0
    failure: BaseException | None = None

    @contextmanager
    def raised(self, overlay: Overlay) -> Iterator[FakeBench]:
        assert self.up == 0, "labs are raised one at a time"
        bench = FakeBench(overlay, **self.options)
        bench.extra_ms += len(self.made) / 1000  # no two labs are alike
        self.made.append(bench)
        self.up += 1
        try:
            if self.failure and len(self.made) == self.fail_at:
                raise self.failure
            yield bench
        finally:
            self.up -= 1
