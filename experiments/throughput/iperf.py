"""iperf3's own report, read.  Pure: arguments and text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.model.errors import MeasureError

PORT = 5201
IPV4, UDP, TCP = 20, 8, 20  # bytes of headers without options (RFC 791, RFC 768, RFC 9293)
CONNECT_MS = 3000
BUFFER = "4M"  # of a UDP socket: what the far end is too busy to read must not count as lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What one transfer brought over."""

    seconds: float
    received_bytes: int  # of payload
    sent_bytes: int
    lost_packets: int | None  # None: TCP, which sends again
    retransmits: int | None  # None: UDP

    @property
    def mbit_per_s(self) -> float:
        """Payload that arrived, by the time it took."""
        return self.received_bytes * 8 / self.seconds / 1e6


def serve() -> tuple[str, ...]:
    """The far end of one transfer; one that takes several refuses who comes while it cleans up."""
    return ("iperf3", "--server", "--one-off", "--port", str(PORT))


def send(address: str, protocol: str, ip_bytes: int, seconds: int) -> tuple[str, ...]:
    """One transfer in IP packets of so many bytes, as fast as the sender can."""
    argv = (
        "iperf3",
        "--client",
        address,
        "--port",
        str(PORT),
        "--json",
        "--time",
        str(seconds),
        "--connect-timeout",
        str(CONNECT_MS),
    )
    if protocol == "tcp":
        return (*argv, "--set-mss", str(ip_bytes - IPV4 - TCP))
    length = str(ip_bytes - IPV4 - UDP)
    return (*argv, "--udp", "--bandwidth", "0", "--length", length, "--window", BUFFER)


def bulk(text: str, protocol: str) -> Bulk:
    """What iperf3 printed.

    Raises:
        MeasureError: the transfer failed, or it is not iperf3's JSON.
    """
    try:
        report: Mapping[str, Any] = json.loads(text)
        if "error" in report:
            raise _wrong(str(report["error"]))
        end = report["end"]
        return _tcp(end) if protocol == "tcp" else _udp(end)
    except (ValueError, KeyError, TypeError) as error:
        raise _wrong(f"{type(error).__name__}: {error} in {text[:80]!r}") from error


def _tcp(end: Mapping[str, Any]) -> Bulk:
    sent, received = end["sum_sent"], end["sum_received"]
    return Bulk(
        seconds=float(received["seconds"]),
        received_bytes=int(received["bytes"]),
        sent_bytes=int(sent["bytes"]),
        lost_packets=None,
        retransmits=int(sent["retransmits"]),
    )


def _udp(end: Mapping[str, Any]) -> Bulk:
    whole = end["sum"]
    packets, lost, sent = int(whole["packets"]), int(whole["lost_packets"]), int(whole["bytes"])
    arrived = sent * (packets - lost) // packets if packets else 0
    return Bulk(
        seconds=float(whole["seconds"]),
        received_bytes=arrived,
        sent_bytes=sent,
        lost_packets=lost,
        retransmits=None,
    )


def _wrong(found: str) -> MeasureError:
    return MeasureError(
        found, where="iperf3", allowed="its report of a transfer", do="Can the two guests ping?"
    )
