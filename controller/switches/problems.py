"""What is wrong on a host: the state that was read there, compared with the overlay.  Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from controller.flows.binding import Binding, allocate_vlans, release
from controller.flows.bridges import bridge_flows, bridges
from controller.flows.linuxbridge import Kernel, in_words, kernel_change, segments
from controller.flows.ports import BR_INT, BR_TUN, BridgePort, switch_ports
from controller.flows.text import dump, normalise
from controller.model.names import UNDERLAY, VTEP_BRIDGE, int_port_name, tap_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from controller.switches.ovsdb import failed_ports, missing_ports, stale_ports, tag_args
from controller.switches.reading import SECURE, Reading, as_seen, binding_of, plugged
from controller.switches.reconcile import cookie_of

CORRECTS = "The controller corrects it at its next poll."
RESTART = "Take the lab down and start it again."
LEARNED = "hard_timeout="  # before the actions; only learned flows of br-tun have one


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what, and what to do about it."""

    where: str
    found: str
    do: str = CORRECTS

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.do}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An interface of a node.

    Attributes:
        is_up: it was set up.
        has_carrier: the other end of the wire is up, too.
    """

    is_up: bool = True
    has_carrier: bool = True
    mtu: int = 0  # bytes
    addresses: frozenset[str] = frozenset()


Links = Mapping[str, Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchState:
    """What was read on a host with Open vSwitch.

    Attributes:
        flows: bridge -> what `ovs-ofctl dump-flows --names` printed.
    """

    reading: Reading = field(default_factory=dict)
    flows: Mapping[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=dict)


def parse_links(shown: Iterable[Mapping[str, Any]]) -> dict[str, Link]:
    """Parse the output of `ip -j addr show`."""
    return {
        each["ifname"]: Link(
            is_up="UP" in each["flags"],
            has_carrier="NO-CARRIER" not in each["flags"],
            mtu=each["mtu"],
            addresses=frozenset(at["local"] for at in each.get("addr_info", ())),
        )
        for each in shown
        if each
    }


def link_problems(where: str, links: Links, names: Iterable[str], *, run: str) -> Iterator[Problem]:
    """Interfaces that are missing, down, or at a wire whose other end is down.

    Args:
        run: the start of a command line that runs a command at that place.
    """
    for name in names:
        link = links.get(name)
        if link is None:
            yield Problem(where, f"interface {name} is missing", RESTART)
        elif not link.is_up:
            yield Problem(where, f"interface {name} is down", f"`{run} ip link set {name} up`.")
        elif not link.has_carrier:
            yield Problem(where, f"the other end of {name} is down", "Set that interface up.")


def switch_problems(
    overlay: Overlay, host: Host, seen: SwitchState, guests: Iterable[Port] = (), *, run: str = ""
) -> list[Problem]:
    """What is wrong on a host with Open vSwitch.

    Args:
        guests: the ports that have an interface on this host.
        run: the start of a command line that runs a command on this host.
    """
    where = f"host {host.name!r}"
    missing = [each for each in (*bridges(host), VTEP_BRIDGE) if each not in seen.reading]
    if missing:
        return [Problem(where, f"bridge {', '.join(missing)} is missing", RESTART)]
    plugged_here = [port for port in guests if port.host == host.name]
    return [
        *_vtep_problems(overlay, host, seen, run),
        *_guest_problems(where, plugged_here, plugged(seen.reading), seen.links, run),
        *_bridge_problems(where, host, seen.reading),
        *_port_problems(overlay, host, seen.reading),
        *_flow_problems(overlay, host, seen),
    ]


def _vtep_problems(overlay: Overlay, host: Host, seen: SwitchState, run: str) -> Iterator[Problem]:
    where, address = f"host {host.name!r}", str(host.local_ip)
    yield from link_problems(where, seen.links, (UNDERLAY, VTEP_BRIDGE), run=run)
    vtep = seen.links.get(VTEP_BRIDGE)
    if vtep and address not in vtep.addresses:
        yield Problem(where, f"{VTEP_BRIDGE} has no address {address}", RESTART)
    if UNDERLAY not in seen.reading[VTEP_BRIDGE].ports:
        again = f"`{run} ovs-vsctl add-port {VTEP_BRIDGE} {UNDERLAY}`."
        yield Problem(where, f"{UNDERLAY} is no port of {VTEP_BRIDGE}", again)
    for name in (UNDERLAY, VTEP_BRIDGE):
        link = seen.links.get(name)
        if link and link.mtu != overlay.underlay_mtu:
            again = f"`{run} ip link set {name} mtu {overlay.underlay_mtu}`."
            found = f"the MTU of {name} is {link.mtu}, not {overlay.underlay_mtu}"
            yield Problem(where, found, again)


def _guest_problems(
    where: str, guests: Iterable[Port], present: Mapping[str, Any], links: Links, run: str
) -> Iterator[Problem]:
    """Ports of guests that are missing on br-int, or whose interface is down."""
    for port in guests:
        name, guest = int_port_name(port.id), port.device_id or port.id
        if port.id not in present:
            again = f"`overlaylab unplug LAB {port.id}`, then `plug`."
            yield Problem(where, f"{name}, the port of guest {guest!r}, is not on {BR_INT}", again)
        elif name in links:
            yield from link_problems(where, links, (name,), run=run)


def _bridge_problems(where: str, host: Host, reading: Reading) -> Iterator[Problem]:
    for bridge in bridges(host):
        if (mode := reading[bridge].fail_mode) != SECURE:
            found = f"fail_mode of {bridge} is {mode or 'not set'}, not {SECURE}"
            yield Problem(where, found)


def _port_problems(overlay: Overlay, host: Host, reading: Reading) -> Iterator[Problem]:
    where, wanted = f"host {host.name!r}", switch_ports(overlay, host)
    for port in missing_ports(wanted, reading):
        yield Problem(where, _difference(port, reading))
    for bridge, name in stale_ports(host, wanted, reading):
        yield Problem(where, f"port {name} of {bridge} is not needed")
    there = [port for port in wanted if port.name in reading[port.bridge].ports]
    for name, error in failed_ports(there, reading).items():
        yield Problem(where, f"port {name}: {error}", "See the log of ovs-vswitchd.")
    words = tag_args(overlay, _binding(overlay, host, reading), reading)
    # `set Port NAME tag=N`
    tagged = {name: word for name, word in pairwise(words) if word.startswith("tag=")}
    tags = {row.name: row.tag for row in reading[BR_INT].ports.values()}
    for name, setting in tagged.items():
        if name in tags and setting != f"tag={tags[name]}":
            now = tags[name] or "not set"
            yield Problem(
                where, f"the VLAN tag of {name} is {now}, not {setting.removeprefix('tag=')}"
            )


def _difference(port: BridgePort, reading: Reading) -> str:
    row = reading[port.bridge].ports.get(port.name)
    if row is None:
        return f"port {port.name} of {port.bridge} is missing"
    wrong = {key for key, _ in set(port.options.items()) ^ set(row.options.items())}
    wrong |= {key for key, _ in port.other_config.items() - row.other_config.items()}
    what = f"options {', '.join(sorted(wrong))}" if wrong else f"type {row.type!r}"
    return f"port {port.name} of {port.bridge} has other {what}"


def _binding(overlay: Overlay, host: Host, reading: Reading) -> Binding:
    kept = release(overlay, binding_of(overlay, host.name, reading))
    return allocate_vlans(overlay, kept)


def _flow_problems(overlay: Overlay, host: Host, seen: SwitchState) -> Iterator[Problem]:
    """Missing and unneeded flows, and flows of others, which the controller does not delete."""
    now = as_seen(overlay, host.name, seen.reading)
    binding = _binding(now, host, seen.reading)
    for bridge in bridges(host):
        if bridge in seen.flows:
            wanted = dump(bridge_flows(now, binding, bridge))
            dpid = seen.reading[bridge].dpid or 0
            yield from _differing_flows(
                f"host {host.name!r}", bridge, wanted, seen.flows[bridge], dpid
            )


def _differing_flows(
    where: str, bridge: str, wanted: list[str], dumped: str, dpid: int
) -> Iterator[Problem]:
    every = dumped.splitlines()
    lines = [x for x in every if bridge != BR_TUN or LEARNED not in x.partition("actions=")[0]]
    ours = f"cookie={cookie_of(dpid):#x},"
    mine = [line for line in lines if ours in line]
    others = normalise("\n".join(line for line in lines if ours not in line))
    missing = list((Counter(wanted) - Counter(normalise("\n".join(mine)))).elements())
    extra = list((Counter(normalise("\n".join(mine))) - Counter(wanted)).elements())
    if missing:
        found = f"flows of {bridge}: {len(missing)} of {len(wanted)} missing or changed"
        yield Problem(where, f"{found}, such as `{missing[0]}`")
    if extra:
        yield Problem(where, f"flows of {bridge}: {len(extra)} not needed, such as `{extra[0]}`")
    if others:
        again = f"The controller leaves them; `ovs-ofctl del-flows --strict {bridge} FLOW` there deletes one."
        found = f"flows of {bridge}: {len(others)} not from the controller, such as `{others[0]}`"
        yield Problem(where, found, again)


def kernel_problems(
    overlay: Overlay,
    host: Host,
    seen: Kernel,
    links: Links,
    guests: Iterable[Port] = (),
    *,
    run: str = "",
) -> list[Problem]:
    """What is wrong on a host with Linux bridges; the arguments are those of `switch_problems`."""
    where, address = f"host {host.name!r}", str(host.local_ip)
    found = list(link_problems(where, links, (UNDERLAY,), run=run))
    if address not in seen.addresses:
        found.append(Problem(where, f"{UNDERLAY} has no address {address}", RESTART))
    underlay = links.get(UNDERLAY)
    if underlay and underlay.mtu != overlay.underlay_mtu:
        again = f"`{run} ip link set {UNDERLAY} mtu {overlay.underlay_mtu}`."
        wrong = f"the MTU of {UNDERLAY} is {underlay.mtu}, not {overlay.underlay_mtu}"
        found.append(Problem(where, wrong, again))
    for port in guests:
        name = tap_name(port.id)
        if port.host == host.name and name not in seen.devices:
            again = f"`overlaylab unplug LAB {port.id}`, then `plug`."
            what = f"{name}, the interface of {port.device_id or port.id!r}, is missing"
            found.append(Problem(where, what, again))
        elif port.host == host.name and name in links and not links[name].has_carrier:
            found += link_problems(where, links, (name,), run=run)
    change = kernel_change(segments(overlay, host), seen)
    return [*found, *(Problem(where, words) for words in in_words(change, seen))]
