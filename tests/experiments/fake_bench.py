"""A lab that never was: answers a probe's commands with what real ones printed."""

from dataclasses import dataclass, field
from subprocess import CompletedProcess

from controller.model.overlay import Overlay
from experiments.measure.ping import Requests

RTT_MS = {"flat": 0.40, "gre": 0.46, "vxlan": 0.47}


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
    report = (
        f"{count} packets transmitted, {got} received, {100 * (count - got) // count}% packet loss"
    )
    return "\n".join(
        [*lines, "", "--- 172.16.166.125 ping statistics ---", f"{report}, time 9ms", ""]
    )


def played_stages(lab, pair, context, *, pings):
    """In the place of `experiments.latency.probe.stage_rows`: no packet passes here."""
    ways = (("request", "switch"), ("ping", "rtt"))
    return tuple(
        {"seq": seq, "direction": way, "stage": stage, "latency_us": 100.0, "note": None}
        for seq in range(1, pings + 1)
        for way, stage in ways
    )


ARP, LEARNED, MEGAFLOW, VTEP = "guest-arp", "learned-flow", "megaflow", "vtep-neighbour"
FLUSHES = {
    ("ip", "-4", "neigh", "flush"): ARP,
    ("ovs-ofctl", "del-flows"): LEARNED,
    ("ovs-appctl", "revalidator/purge"): MEGAFLOW,
    ("ovs-appctl", "tnl/neigh/flush"): VTEP,
}
COLD_MS = {ARP: 0.3, LEARNED: 0.1, MEGAFLOW: 0.2}  # what it costs a ping that finds it cold


def flushed_by(argv):
    """What a command makes cold, if anything."""
    return next((what for begins, what in FLUSHES.items() if argv[: len(begins)] == begins), None)


@dataclass
class FakeBench:
    """One lab; keeps what it was asked, and forgets what it is told to forget."""

    overlay: Overlay
    asked: list[tuple[str, ...]] = field(default_factory=list)
    lose: tuple[int, ...] = ()  # of the warm pings
    warm_pings: int = 0
    extra_ms: float = 0.0
    known: set[str] = field(default_factory=lambda: {VTEP})  # as raised
    stubborn: frozenset[str] = frozenset()  # not forgotten, whatever is flushed

    def pid(self, node):
        return 4711

    def run(self, node, *argv, timeout_s=10):
        return self.attempt(node, *argv, timeout_s=timeout_s).stdout

    def attempt(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        self.known -= {flushed_by(argv)} - self.stubborn
        if argv[:2] == ("ovs-appctl", "tnl/neigh/set"):
            self.known.add(VTEP)
        return CompletedProcess(argv, 0, self._answer(argv), "")

    @property
    def far(self):
        """The second guest of the scenario, which the first pings."""
        return self.overlay.ports[1]

    def _answer(self, argv):
        if argv[0] == "ping":
            return self._pinged(argv)
        looked_up = {
            ("ip", "-4", "neigh", "show"): (
                ARP,
                f"{self.far.ipv4[0]} dev eth0 lladdr {self.far.mac_address} REACHABLE\n",
            ),
            ("ovs-ofctl", "dump-flows"): (LEARNED, f" table=20, dl_dst={self.far.mac_address} x\n"),
            ("ovs-appctl", "dpctl/dump-flows"): (
                MEGAFLOW,
                f"eth(src={self.overlay.ports[0].mac_address},dst={self.far.mac_address})",
            ),
            ("ovs-appctl", "tnl/neigh/show"): (
                VTEP,
                f"IP MAC\n===\n{self.overlay.host(self.far.host).local_ip}  02:01:00  br-vtep\n",
            ),
        }
        for begins, (what, text) in looked_up.items():
            if argv[: len(begins)] == begins:
                return text if what in self.known else ""
        return ""

    def _pinged(self, argv):
        count = int(argv[argv.index("-c") + 1])
        rtt_ms = RTT_MS[str(self.overlay.networks[0].network_type)] + self.extra_ms
        if argv[-1] != str(self.far.ipv4[0]):
            return ping_output(count, rtt_ms)  # along another path
        lose = self.lose if count == Requests(count=self.warm_pings).sent else ()
        if VTEP not in self.known:
            lose = range(1, count + 1)
        rtt_ms += sum(COLD_MS[what] for what in COLD_MS if what not in self.known)
        self.known |= {ARP, LEARNED, MEGAFLOW, VTEP}
        return ping_output(count, rtt_ms, lose=tuple(lose))
