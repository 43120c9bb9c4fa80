"""Arguments of iperf3, and what its JSON report says.  Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.model.errors import MeasureError
from experiments.throughput.words import TCP

PORT = 5201
IPV4_BYTES, UDP_BYTES, TCP_BYTES = 20, 8, 20  # without options (RFC 791, RFC 768, RFC 9293)
BUFFER = "4M"  # of a UDP socket: what a busy receiver has not read yet must not count as lost
# One that takes several transfers refuses a client that comes while it cleans up.
SERVER = ("iperf3", "--server", "--one-off", "--port", str(PORT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """The result of one transfer; bytes are of payload."""

    seconds: float
    received_bytes: int
    sent_bytes: int
    lost_packets: int | None = None  # of UDP
    retransmits: int | None = None  # of TCP

    @property
    def mbit_per_s(self) -> float:
        """Payload that arrived, by the time it took."""
        return self.received_bytes * 8 / self.seconds / 1e6


def client_argv(
    address: str, protocol: str, ip_bytes: int, seconds: int, *, connect_s: float = 3.0
) -> tuple[str, ...]:
    """One transfer in IP packets of `ip_bytes`, as fast as the sender can."""
    where = (
        "--client",
        address,
        "--port",
        str(PORT),
        "--connect-timeout",
        str(round(connect_s * 1000)),
    )
    argv = ("iperf3", *where, "--json", "--time", str(seconds))
    if protocol == TCP:
        return (*argv, "--set-mss", str(ip_bytes - IPV4_BYTES - TCP_BYTES))
    length = str(ip_bytes - IPV4_BYTES - UDP_BYTES)
    return (*argv, "--udp", "--bandwidth", "0", "--length", length, "--window", BUFFER)


def parse_bulk(text: str, protocol: str) -> Bulk:
    """The result of a transfer from the client's output.

    Raises:
        MeasureError: the transfer failed, or it is not iperf3's JSON.
    """
    try:
        report: Mapping[str, Any] = json.loads(text)
        if "error" in report:
            raise _unusable(str(report["error"]))
        return _tcp(report["end"]) if protocol == TCP else _udp(report["end"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(f"{type(error).__name__}: {error} in {text[:80]!r}") from error


def _tcp(end: Mapping[str, Any]) -> Bulk:
    sent, received = end["sum_sent"], end["sum_received"]
    return Bulk(
        seconds=float(received["seconds"]),
        received_bytes=int(received["bytes"]),
        sent_bytes=int(sent["bytes"]),
        retransmits=int(sent["retransmits"]),
    )


def _udp(end: Mapping[str, Any]) -> Bulk:
    total = end["sum"]
    packets, lost, sent = int(total["packets"]), int(total["lost_packets"]), int(total["bytes"])
    return Bulk(
        seconds=float(total["seconds"]),
        received_bytes=sent * (packets - lost) // packets if packets else 0,
        sent_bytes=sent,
        lost_packets=lost,
    )


def _unusable(found: str) -> MeasureError:
    return MeasureError(
        found,
        where="iperf3",
        allowed="its JSON report of a transfer",
        do="Check that the two guests can ping each other.",
    )
