"""The bandwidth between two guests, by an iperf3 that ends with the measurement."""

import json
import shutil

from controller.model.errors import CommandError, HostError
from controller.system import commands
from controller.system.process import is_alive, kill
from controller.system.waiting import wait_for
from topologies.ledger import Ledger
from topologies.nodes import ready
from topologies.plan.pings import Ping

LISTEN_S = 10.0
END_S = 20.0  # more than iperf3 waits for a connection that is not answered
UNITS = ((1e9, "Gbits/sec"), (1e6, "Mbits/sec"), (1e3, "Kbits/sec"))


def measure(
    ledger: Ledger, ping: Ping, pids: tuple[int, int], *, port: int, seconds: int, rate: str
) -> tuple[float, float]:
    """What the target of `ping` received, and what its source sent [bits/s].

    Args:
        pids: a process in the namespaces of the source, and one in those of the target.
        rate: of UDP, as in `10M`; empty for TCP.

    Raises:
        HostError: no iperf3.
        CommandError: iperf3 reports an error.
    """
    if not shutil.which("iperf3"):
        raise HostError(
            "no iperf3",
            where="iperf",
            allowed="iperf3",
            do="`apt-get install iperf3` as root.",
        )
    address = str(ping.address)
    listen = ("iperf3", "-s", "-1", "-B", address, "-p", str(port))
    server, child = ledger.start(f"iperf3 in {ping.target}", *listen, pid=pids[1])
    family = "tcp6" if ping.address.version == 6 else "tcp"
    try:
        wait_for(
            lambda: ready.is_listening(pids[1], family, port) or not is_alive(server),
            LISTEN_S,
            what="iperf3 to listen",
        )
        send = ("iperf3", "-J", "-c", address, "-p", str(port), "-t", str(seconds))
        udp = ("-u", "-b", rate) if rate else ()
        limit_s = seconds + END_S
        done = commands.attempt(*send, *udp, pid=pids[0], mark=ledger.token, timeout_s=limit_s)
    finally:
        kill([server])
        child.wait()
    return _rates(done.stdout, done.stderr)


def _rates(report: str, stderr: str) -> tuple[float, float]:
    try:
        found = json.loads(report)
        end = found["end"]
        sent = end.get("sum_sent", end.get("sum"))
        received = end.get("sum_received", sent)
        return received["bits_per_second"], sent["bits_per_second"]
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(
            _error(report, stderr),
            where="iperf3",
            allowed="a result",
            do="Ping first; `iperf3` in a guest's own command line shows more.",
        ) from error


def _error(report: str, stderr: str) -> str:
    """The error in iperf3's report, or else the first line of its stderr."""
    try:
        return str(json.loads(report)["error"])
    except (ValueError, KeyError, TypeError):
        return (stderr.strip() or "no result").splitlines()[0]


def rate(bits_per_second: float) -> str:
    """The rate as iperf writes it, such as `1.25 Gbits/sec`."""
    for unit, name in UNITS:
        if bits_per_second >= unit:
            return f"{bits_per_second / unit:.2f} {name}"
    return f"{bits_per_second:.0f} bits/sec"
