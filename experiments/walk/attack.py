"""What an attacker outside both sites can read, find and inject; inside the lab, a few packets."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address

from controller.model.errors import MeasureError
from controller.model.sites import ETH, Sites
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row, Value
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
from experiments.measure.packets import NODE, Packet
from experiments.measure.sockets import receivers, senders, without
from experiments.walk.labs import INJECTED, PORTS, PROTOCOLS, SERVER_PORT
from experiments.walk.scan import ANSWERS, Endpoint, connected, datagrams, listener, scan
from experiments.walk.words import (
    ANSWERED,
    CLOSED,
    FILTERED,
    FORGED,
    INJECT,
    NO,
    OPEN,
    OWN,
    READS,
    SCAN,
    YES,
)

UDP_PORT = 40000  # unused
NO_ANSWER_S = 1.0  # a round trip in the lab takes one millisecond
ARRIVAL_S = 3.0
PAYLOADS = ("data.data", "udp.payload")


def reads(lab: Lab, sites: Sites, context: Context) -> Iterator[Row]:
    """Send texts from site to site, and look for them in the capture of a router on the path."""
    texts = {name: f"{name.lower()}-{secrets.token_hex(6)}"[:16].encode() for name in PROTOCOLS}
    router, interface = sites.routers[0], sites.routers[1]
    where = {router: (interface,)}
    with capturing(lab, where, lambda name: context.path(f"reads-{name}")) as files:
        _send_by_tcp(lab, sites, texts["TCP"])
        _send_by_udp(lab, sites, texts["UDP"])
        _send_by_icmp(lab, sites, texts["ICMP"])
    seen = files[router].read_bytes()
    for name, text in texts.items():
        check = f"{name} text readable at {router}"
        yield {"about": READS, "check": check, "seen": YES if text in seen else NO}


def _send_by_tcp(lab: Lab, sites: Sites, text: bytes) -> None:
    server, address = sites.far.stations[0].name, str(sites.far.stations[0].ip)
    with ExitStack() as stack:
        server_socket = stack.enter_context(listener(lab.pid(server), address, SERVER_PORT))
        server_socket.settimeout(ARRIVAL_S)
        caller = lab.pid(sites.near.stations[0].name)
        client = stack.enter_context(connected(caller, (address, SERVER_PORT), ARRIVAL_S))
        client.sendall(text)
        accepted = stack.enter_context(server_socket.accept()[0])
        accepted.settimeout(ARRIVAL_S)
        _assert_same(accepted.recv(len(text)), text, "TCP")


def _send_by_udp(lab: Lab, sites: Sites, text: bytes) -> None:
    server, address = sites.far.stations[0].name, str(sites.far.stations[0].ip)
    with (
        datagrams(lab.pid(server)) as receiver,
        datagrams(lab.pid(sites.near.stations[0].name)) as sender,
    ):
        receiver.bind((address, UDP_PORT))
        receiver.settimeout(ARRIVAL_S)
        sender.sendto(text, (address, UDP_PORT))
        _assert_same(receiver.recv(len(text)), text, "UDP")


def _send_by_icmp(lab: Lab, sites: Sites, text: bytes) -> None:
    target = str(sites.far.stations[0].ip)
    argv = ("ping", "-n", "-c1", "-W3", "-p", text.hex(), target)
    lab.run(sites.near.stations[0].name, *argv)


def _assert_same(found: bytes, sent: bytes, protocol: str) -> None:
    """Check that the text has arrived; otherwise no router could have read it.

    Raises:
        MeasureError: something else was received.
    """
    if found != sent:
        raise MeasureError(
            repr(found), where=f"{protocol} at the server", allowed=repr(sent), do="Run it again."
        )


def scanned(lab: Lab, sites: Sites) -> tuple[list[Row], list[Row]]:
    """The checks and the table `scan`: which addresses and ports answer the PC and the attacker."""
    caller, attacker = sites.near.stations[0].name, sites.attacker.name
    called, public = sites.far.stations[0], str(sites.far.public_ip)
    endpoint, rows = (str(called.ip), SERVER_PORT), list[Row]()

    def scan_from(node: str, endpoints: list[Endpoint]) -> list[str]:
        found = scan(lab.pid(node), endpoints, NO_ANSWER_S)
        rows.extend(
            {"from_node": node, "address": address, "port": port, "outcome": outcome}
            for (address, port), outcome in found.items()
        )
        return list(found.values())

    with listener(lab.pid(called.name), *endpoint):
        checks = [
            _scan(f"{called.ip} port {SERVER_PORT} from {node}", scan_from(node, [endpoint])[0])
            for node in (caller, attacker)
        ]
        lan = scan_from(attacker, [(str(ip), SERVER_PORT) for ip in sites.far.lan.hosts()])
    answers = _answers_ping(lab, attacker, public)
    rows.append({"from_node": attacker, "address": public, "port": "ping", "outcome": answers})
    ports = scan_from(attacker, [(public, port) for port in PORTS])
    known = f"{public} TCP ports {PORTS[0]}-{PORTS[-1]}"
    checks += [
        _scan(f"{public} answers ping", answers),
        _scan(f"{known} open", ports.count(OPEN)),
        _scan(f"{known} closed", ports.count(CLOSED)),
        _scan(f"{sites.far.lan} addresses that answer", sum(outcome in ANSWERS for outcome in lan)),
    ]
    return checks, rows


def _scan(check: str, seen: Value) -> Row:
    return {"about": SCAN, "check": check, "seen": seen}


def _answers_ping(lab: Lab, node: str, address: str) -> str:
    return (
        NO if lab.attempt(node, "ping", "-n", "-c3", "-i0.05", "-W1", address).returncode else YES
    )


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
        Case(name=OWN, outer=own, inner=near.tunnel_ip),
        Case(name=FILTERED, outer=near.public_ip, inner=near.tunnel_ip, is_checked=True),
        Case(name=FORGED, outer=near.public_ip, inner=near.tunnel_ip),
        Case(name=ANSWERED, outer=near.public_ip, inner=own, is_echo=True),
    )


def injected(lab: Lab, sites: Sites, context: Context) -> tuple[list[Row], list[Row]]:
    """The checks and the table `injected`: which GRE packets of the attacker reach the server."""
    server, attacker = sites.far.stations[0].name, sites.attacker.name
    where = {server: (ETH,), attacker: (ETH,)}
    known = cases(sites)
    with capturing(lab, where, lambda name: context.path(f"inject-{name}")) as files:
        for case in known:
            _send(lab, sites, case)
    packets = decoded(dict(files), ("icmp.type", *PAYLOADS))
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
    checks: list[Row] = [
        {
            "about": INJECT,
            "check": case.name,
            "seen": row["answered" if case.is_echo else "arrived"],
        }
        for case, row in zip(known, rows, strict=True)
    ]
    return checks, rows


def _send(lab: Lab, sites: Sites, case: Case) -> None:
    """Send the packets of a case; if they should arrive, wait until they have."""
    attacker, router = sites.attacker, sites.attacker.router
    awaited = attacker.name if case.is_echo else sites.far.stations[0].name
    with ExitStack() as stack:
        if case.is_checked:
            _check_sources(lab, sites, on=True)
            stack.callback(_check_sources, lab, sites, on=False)
        out = stack.enter_context(senders(lab.pid(attacker.name), (ETH,)))[ETH]
        pids = {awaited: lab.pid(awaited)}
        sockets = stack.enter_context(receivers(pids, ETH, IPV4))
        macs = [
            lab.run(node, "cat", f"/sys/class/net/{name}/address").strip()
            for node, name in ((attacker.name, ETH), (router, attacker.name))
        ]
        for seq in range(1, INJECTED + 1):
            ends = (case.outer, sites.far.public_ip)
            out(tunnelled(macs[0], macs[1], ends, _packet(sites, case, seq)))
        if case.outer != attacker.ip and not case.is_checked:
            without({awaited: (sockets[awaited], _last(case))}, ARRIVAL_S)


def _packet(sites: Sites, case: Case, seq: int) -> bytes:
    """The inner packet."""
    text = case.nonce + b" %d" % seq
    kind = ICMP_PROTOCOL if case.is_echo else UDP_PROTOCOL
    body = echo_request(1, seq, text) if case.is_echo else udp(text)
    return ipv4(case.inner, sites.far.stations[0].ip, kind, body)


def _last(case: Case) -> bytes:
    return case.nonce + b" %d" % INJECTED


def _check_sources(lab: Lab, sites: Sites, *, on: bool) -> None:
    """Switch on or off that the attacker's router drops forged sources (BCP 38, RFC 2827)."""
    key = f"net.ipv4.conf.{sites.attacker.name}.rp_filter"
    lab.run(sites.attacker.router, "sysctl", "-qw", f"{key}={int(on)}")


def _count(packets: list[Packet], node: str, case: Case, icmp_type: str) -> int:
    """Packets of a case in the node's capture, without ICMP errors that quote them."""
    wanted = case.nonce.hex()
    return sum(
        each[NODE] == node
        and each["icmp.type"] == icmp_type
        and any(wanted in each[name].replace(":", "") for name in PAYLOADS)
        for each in packets
    )
