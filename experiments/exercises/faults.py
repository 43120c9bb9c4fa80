"""Exercise 3: five faults in one lab, each by what can be seen of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from controller.model.overlay import Overlay
from controller.model.parts import Port
from experiments.exercises.exercise import Finding
from experiments.exercises.reading import Guest, Ping, answered_pings, guest_state
from topologies.lab.lab import Lab
from topologies.plan.plan import guest_name


def check(lab: Lab, _: Mapping[str, int]) -> Iterator[Finding]:
    """From the underlay upwards; what a fault below explains is not reported again."""
    overlay = lab.overlay
    replies = _underlay(lab, overlay)
    cut_off, narrow = _faulty_hosts(overlay, replies)
    yield from underlay_findings(overlay, replies)
    states = {guest_name(port): guest_state(lab, guest_name(port)) for port in overlay.ports}
    faults = list(guest_faults(overlay, states))
    yield from (Finding(False, each.text, each.look) for each in faults)
    if not faults:
        yield Finding(
            True, f"the interfaces of all {len(states)} servers are set up as their ports are"
        )
    yield from _pings(lab, overlay, {each.pair for each in faults}, {*cut_off, *narrow})


SMALL = 84  # bytes: what ping sends by default


def _underlay(lab: Lab, overlay: Overlay) -> dict[Ping, bool]:
    """Whether small and large packets get an answer, from each VTEP to each other one."""
    pairs = permutations(overlay.hosts, 2)
    sizes = (SMALL, overlay.underlay_mtu)
    return answered_pings(lab, [Ping(a.name, b.vtep, size) for a, b in pairs for size in sizes])


def _faulty_hosts(overlay: Overlay, replies: Mapping[Ping, bool]) -> tuple[list[str], list[str]]:
    """The hosts whose VTEP reaches no other one; and those that large packets do not reach."""
    pairs = list(permutations(overlay.hosts, 2))

    def fails(size: int, left_out: Sequence[str]) -> list[str]:
        """The hosts that no ping of this size passes to or from."""
        tried = [(a, b) for a, b in pairs if not {a.name, b.name} & set(left_out)]
        passed = [{a.name, b.name} for a, b in tried if replies[Ping(a.name, b.vtep, size)]]
        names = {host.name for host in overlay.hosts} - set(left_out)
        return sorted(names - set().union(*passed))

    cut_off = fails(SMALL, ())
    return cut_off, fails(overlay.underlay_mtu, cut_off)


def underlay_findings(overlay: Overlay, replies: Mapping[Ping, bool]) -> Iterator[Finding]:
    """What can be seen of the underlay; of a host that nothing reaches, that alone."""
    cut_off, narrow = _faulty_hosts(overlay, replies)
    for host in cut_off:
        yield Finding(
            False,
            f"the VTEP of {host} gets no answer from any other VTEP.",
            f"Look at the way from br-vtep of {host} to the underlay, port by port.",
        )
    for host in narrow:
        yield Finding(
            False,
            f"packets of {overlay.underlay_mtu} bytes do not pass between the VTEP of {host} and "
            "the others; small ones do.",
            f"Look at each MTU on the way to {host}, also beyond the host.",
        )
    named = {*cut_off, *narrow}
    lost = [
        (a.name, b.name)
        for a, b in permutations(overlay.hosts, 2)
        if not named & {a.name, b.name} and not replies[Ping(a.name, b.vtep, overlay.underlay_mtu)]
    ]
    for a, b in lost:
        yield Finding(
            False,
            f"packets of {overlay.underlay_mtu} bytes from the VTEP of {a} to that of {b} get no "
            "answer.",
            f"Look for what {a} and {b} drop, and at their MTUs and neighbours.",
        )
    if not named and not lost:
        yield Finding(True, f"packets of {overlay.underlay_mtu} bytes pass between all VTEPs")


@dataclass(frozen=True, slots=True)
class GuestFault:
    """A server that is not set up as its port is; `pair`: the servers that do not reach each other."""

    text: str
    look: str
    pair: frozenset[str]


def guest_faults(overlay: Overlay, states: Mapping[str, Guest]) -> Iterator[GuestFault]:
    """What can be seen of each server that is not set up as its port is."""
    macs = {str(port.fixed_ips[0]): port for port in overlay.ports if port.fixed_ips}
    for port in macs.values():
        name = guest_name(port)
        state, wanted = states[name], _wanted(overlay, port)
        alone = frozenset({name})
        if not state.is_up:
            text = f"{name} neither sends nor receives."
            yield GuestFault(text, f"Look at the interface of {name}.", alone)
        elif wanted not in state.addresses:
            text = f"{name} is not set up as its port is, and may not reach the other servers."
            look = f"Compare the address and the routes of {name} with those of the others."
            yield GuestFault(text, look, alone)
        elif state.mtu != overlay.mtu_of(overlay.network_of[port.network_id]):
            text = f"{name} does not use the MTU of its network."
            yield GuestFault(text, f"Look at the interface of {name}.", alone)
        for address, mac in state.static.items():
            other = macs.get(address)
            if other and other.mac_address.lower() != mac.lower():
                text = f"{name} and {guest_name(other)} do not reach each other."
                look = f"Look at what {name} knows about {guest_name(other)}."
                yield GuestFault(text, look, frozenset({name, guest_name(other)}))


def _wanted(overlay: Overlay, port: Port) -> str:
    address = port.fixed_ips[0]
    subnet = next(each for each in overlay.subnets if address in each.cidr)
    return f"{address}/{subnet.cidr.prefixlen}"


def _pings(
    lab: Lab, overlay: Overlay, faulty: set[frozenset[str]], hosts: set[str]
) -> Iterator[Finding]:
    """The control: every server gets an answer from every other one, with the largest packets."""
    tried = {
        Ping(guest_name(one), str(other.fixed_ips[0]), overlay.mtu_of(network)): other
        for network in overlay.networks
        for one, other in permutations(overlay.active_ports(network.id), 2)
        if other.fixed_ips
        and not hosts & {one.host, other.host}
        and not any(each <= {guest_name(one), guest_name(other)} for each in faulty)
    }
    replies = answered_pings(lab, list(tried))
    for ping in [each for each, is_answered in replies.items() if not is_answered]:
        target = guest_name(tried[ping])
        yield Finding(
            False,
            f"{ping.node} gets no answer from {target} to packets of {ping.size} bytes.",
            f"`overlaylab trace {lab.name} {ping.node} {target}` shows the flows on the way.",
        )
    passed = sum(replies.values())
    if passed:
        yield Finding(True, f"{passed} of {len(tried)} pings with the largest packets are answered")
