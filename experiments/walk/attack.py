"""What an attacker outside both sites can read, find and inject; inside the lab, a few packets."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from controller.model.errors import MeasureError, WaitError
from controller.model.sites import ETH, Sites
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import (
    ICMP_PROTOCOL,
    IPV4,
    UDP_PROTOCOL,
    echo_request,
    ipv4,
    tunnelled,
    udp,
)
from experiments.measure.namespace import look_into
from experiments.measure.packets import NODE, Packet
from experiments.measure.sockets import receivers, senders, without
from experiments.walk import words
from experiments.walk.labs import INJECTED, PORTS, PROTOCOLS, SERVER_PORT
from experiments.walk.words import check

T = TypeVar("T")
Endpoint = tuple[str, int]  # address, port

UDP_PORT = 40000  # unused
AT_ONCE = 256  # connections of a scan
NO_ANSWER_S = 2.5  # a lost SYN is sent again after 1 s (RFC 6298)
ARRIVAL_S = 3.0
FILTERED_COUNT = "IPReversePathFilter"  # in /proc/net/netstat: packets dropped by rp_filter
PAYLOADS = ("data.data", "udp.payload")


def reads(lab: Lab, sites: Sites, context: Context) -> Iterator[Row]:
    """Send texts from site to site, and look for them in the capture of a router on the path."""
    texts = {name: f"{name.lower()}-{secrets.token_hex(6)}"[:16].encode() for name in PROTOCOLS}
    router, interface = sites.routers[0], sites.routers[1]
    where = {router: (interface,)}
    with capturing(lab, where, lambda name: context.path(f"reads-{name}")) as files:
        _send_text(lab, sites, socket.SOCK_STREAM, SERVER_PORT, texts["TCP"])
        _send_text(lab, sites, socket.SOCK_DGRAM, UDP_PORT, texts["UDP"])
        wait, pattern = f"{scaled(ARRIVAL_S):g}", texts["ICMP"].hex()
        argv = ("ping", "-n", "-c1", "-W", wait, "-p", pattern, str(sites.far.stations[0].ip))
        lab.run(sites.near.stations[0].name, *argv)
    seen = files[router].read_bytes()
    for name, text in texts.items():
        is_seen = words.YES if text in seen else words.NO
        yield check(words.READS, f"{name} text readable at {router}", is_seen)


def _within(lab: Lab, node: str, make: Callable[[], T]) -> T:
    """The result of `make`, called in the network namespace of the node."""
    return look_into({node: lab.pid(node)}, lambda _: make())[node]


def _send_text(lab: Lab, sites: Sites, kind: socket.SocketKind, port: int, text: bytes) -> None:
    """Send a text by TCP or UDP to a port of the server; if it is lost, no router can read it.

    Raises:
        MeasureError: the server received nothing in time, or something else.
    """
    wait_s = scaled(ARRIVAL_S)
    server, endpoint = sites.far.stations[0].name, (str(sites.far.stations[0].ip), port)
    with ExitStack() as stack:
        receiver, sender = (
            stack.enter_context(_within(lab, node, lambda: socket.socket(socket.AF_INET, kind)))
            for node in (server, sites.near.stations[0].name)
        )
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # `scanned` needs the port
        receiver.bind(endpoint)
        if kind is socket.SOCK_STREAM:
            receiver.listen()
        receiver.settimeout(wait_s)
        sender.settimeout(wait_s)
        try:
            sender.connect(endpoint)
            sender.sendall(text)
            if kind is socket.SOCK_STREAM:
                receiver = stack.enter_context(receiver.accept()[0])
                receiver.settimeout(wait_s)
            found = receiver.recv(len(text))
        except TimeoutError:
            found = b""
    if found != text:
        raise MeasureError(
            repr(found), where=f"port {port} of the server", allowed=repr(text), do="Run it again."
        )


def scanned(lab: Lab, sites: Sites) -> tuple[list[Row], list[Row]]:
    """The checks and the table `scan`: which addresses and ports answer the PC and the attacker."""
    caller, attacker = sites.near.stations[0].name, sites.attacker.name
    called, public = sites.far.stations[0], str(sites.far.public_ip)
    endpoint, rows = (str(called.ip), SERVER_PORT), list[Row]()

    def scan_from(node: str, endpoints: list[Endpoint]) -> list[str]:
        outcomes = _within(lab, node, lambda: asyncio.run(_outcomes(endpoints)))
        rows.extend(
            {"from_node": node, "address": address, "port": port, "outcome": outcome}
            for (address, port), outcome in zip(endpoints, outcomes, strict=True)
        )
        return outcomes

    with _within(lab, called.name, lambda: socket.create_server(endpoint)):
        checks = [
            check(words.SCAN, f"{called.ip} port {SERVER_PORT} from {node}", outcome)
            for node in (caller, attacker)
            for outcome in scan_from(node, [endpoint])
        ]
        lan = scan_from(attacker, [(str(ip), SERVER_PORT) for ip in sites.far.lan.hosts()])
    wait = f"{scaled(ARRIVAL_S):g}"
    ping = lab.attempt(attacker, "ping", "-n", "-c3", "-i0.05", "-W", wait, public)
    answers = words.NO if ping.returncode else words.YES
    rows.append({"from_node": attacker, "address": public, "port": "ping", "outcome": answers})
    ports = scan_from(attacker, [(public, port) for port in PORTS])
    known = f"{public} TCP ports {PORTS[0]}-{PORTS[-1]}"
    hosts = sum(outcome in (words.OPEN, words.CLOSED) for outcome in lan)
    checks += [
        check(words.SCAN, f"{public} answers ping", answers),
        check(words.SCAN, f"{known} open", ports.count(words.OPEN)),
        check(words.SCAN, f"{known} closed", ports.count(words.CLOSED)),
        check(words.SCAN, f"{sites.far.lan} addresses that answer", hosts),
    ]
    return checks, rows


async def _outcomes(endpoints: Sequence[Endpoint]) -> list[str]:
    """The outcome of a TCP connection to each endpoint, in their order."""
    slots, wait_s = asyncio.Semaphore(AT_ONCE), scaled(NO_ANSWER_S)

    async def outcome(endpoint: Endpoint) -> str:
        async with slots:
            try:
                opened = asyncio.open_connection(*endpoint)
                _, writer = await asyncio.wait_for(opened, wait_s)
            except asyncio.TimeoutError:
                return words.NO_ANSWER
            except ConnectionRefusedError:
                return words.CLOSED
            except OSError:
                return words.UNREACHABLE
            writer.close()
            await writer.wait_closed()
            return words.OPEN

    return await asyncio.gather(*map(outcome, endpoints))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Injected packets of one kind."""

    name: str
    outer: IPv4Address  # source in the outer header
    inner: IPv4Address  # source in the inner header
    is_echo: bool = False
    is_checked: bool = False  # the attacker's router drops packets with a forged source

    @property
    def nonce(self) -> bytes:
        """Bytes that only packets of this kind contain."""
        return f"case {self.name}"[:60].encode()


def cases(sites: Sites) -> tuple[Case, ...]:
    """Cases that should not arrive come first: the others prove that they could have arrived."""
    near, own = sites.near, sites.attacker.ip
    return (
        Case(name=words.OWN, outer=own, inner=near.tunnel_ip),
        Case(name=words.FILTERED, outer=near.public_ip, inner=near.tunnel_ip, is_checked=True),
        Case(name=words.FORGED, outer=near.public_ip, inner=near.tunnel_ip),
        Case(name=words.ANSWERED, outer=near.public_ip, inner=own, is_echo=True),
    )


def injected(lab: Lab, sites: Sites, context: Context) -> tuple[list[Row], list[Row]]:
    """The checks and the table `injected`: which GRE packets of the attacker reach the server."""
    server, attacker = sites.far.stations[0].name, sites.attacker.name
    where = {server: (ETH,), attacker: (ETH,)}
    known = cases(sites)
    with capturing(lab, where, lambda name: context.path(f"inject-{name}")) as files:
        for case in known:
            _send(lab, sites, case)
    packets = decoded(files, ("icmp.type", *PAYLOADS))
    rows: list[Row] = [
        {
            "case": case.name,
            "outer_source": str(case.outer),
            "inner_source": str(case.inner),
            "sent": INJECTED,
            "arrived": _count(packets, server, case, "8" if case.is_echo else ""),
            "answered": _count(packets, attacker, case, "0") if case.is_echo else 0,
        }
        for case in known
    ]
    checks = [
        check(words.INJECT, case.name, row["answered" if case.is_echo else "arrived"])
        for case, row in zip(known, rows, strict=True)
    ]
    return checks, rows


def _send(lab: Lab, sites: Sites, case: Case) -> None:
    """Send the packets of a case; wait until they have arrived, or been dropped for their source."""
    attacker, router = sites.attacker, sites.attacker.router
    awaited = attacker.name if case.is_echo else sites.far.stations[0].name
    with ExitStack() as stack:
        if case.is_checked:
            _check_sources(lab, sites, on=True)
            stack.callback(_check_sources, lab, sites, on=False)
        dropped = _dropped_for_source(lab, router)
        out = stack.enter_context(senders(lab.pid(attacker.name), (ETH,)))[ETH]
        pids = {awaited: lab.pid(awaited)}
        sockets = stack.enter_context(receivers(pids, ETH, IPV4))
        macs = [
            lab.run(node, "cat", f"/sys/class/net/{name}/address").strip()
            for node, name in ((attacker.name, ETH), (router, attacker.name))
        ]
        ends, kind = (
            (case.outer, sites.far.public_ip),
            ICMP_PROTOCOL if case.is_echo else UDP_PROTOCOL,
        )
        for seq in range(1, INJECTED + 1):
            text = case.nonce + b" %d" % seq
            body = echo_request(1, seq, text) if case.is_echo else udp(text)
            inner = ipv4(case.inner, sites.far.stations[0].ip, kind, body)
            out(tunnelled(macs[0], macs[1], ends, inner))
        if case.is_checked:
            with suppress(
                WaitError
            ):  # the router does not drop them: they are counted where they arrive
                wait_for(
                    lambda: _dropped_for_source(lab, router) >= dropped + INJECTED,
                    ARRIVAL_S,
                    what=f"{router!r} to drop packets with a forged source",
                )
        if case.outer != attacker.ip and not case.is_checked:
            last = case.nonce + b" %d" % INJECTED
            without({awaited: (sockets[awaited], last)}, ARRIVAL_S)


def _check_sources(lab: Lab, sites: Sites, *, on: bool) -> None:
    """Switch on or off that the attacker's router drops forged sources (BCP 38, RFC 2827)."""
    key = f"net.ipv4.conf.{sites.attacker.name}.rp_filter"
    lab.run(sites.attacker.router, "sysctl", "-qw", f"{key}={int(on)}")


def _dropped_for_source(lab: Lab, router: str) -> int:
    """Packets that a router has dropped because of their source address."""
    lines = lab.run(router, "cat", "/proc/net/netstat").splitlines()
    names, values = (line.split() for line in lines if line.startswith("TcpExt:"))
    return int(dict(zip(names, values, strict=True))[FILTERED_COUNT])


def _count(packets: list[Packet], node: str, case: Case, icmp_type: str) -> int:
    """Packets of a case in the node's capture, without ICMP errors that quote them."""
    wanted = case.nonce.hex()
    return sum(
        each[NODE] == node
        and each["icmp.type"] == icmp_type
        and any(wanted in each[name].replace(":", "") for name in PAYLOADS)
        for each in packets
    )
