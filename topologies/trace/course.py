"""The path of one frame from guest to guest, from the traces of two hosts.  Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from controller.explain.names import id_word, spelt
from controller.explain.ofproto import Copy, Section, Trace, copies
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.names import hybrid_names, int_port_name
from controller.model.parts import Network
from controller.model.wording import listed
from topologies.plan.plan import guest_name
from topologies.trace.frames import Ends, Frame, Layer, on_the_wire
from topologies.trace.side import Side
from topologies.trace.way import Stage, losses, stages, way_to_bridge, way_to_vtep

NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class Wire:
    """The followed copy between two hosts: its headers, outermost first."""

    source: str
    target: str
    layers: tuple[Layer, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire, without the check sequence."""
        return sum(layer.size for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Another copy of the frame.

    Attributes:
        words: where it goes.
        host: the host it goes to through a tunnel; empty if it leaves by another port.
        guests: the guests of the network there; none: an unneeded copy.
    """

    words: str
    host: str = ""
    guests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The path of a frame and its outcome.

    Attributes:
        facts: the network of the guests, and what keeps them apart.
        source_host, target_host: the hosts of the two guests.
        others: where the other copies go, one line each.
        branches: the same copies as values.
        end: the outcome, in words.
        lacking: if it is lost, the flows of the controller that are missing on its path.
    """

    source: str
    target: str
    kind: str
    frame: str
    facts: tuple[str, ...]
    layers: tuple[Layer, ...]
    near: tuple[Stage, ...]
    wire: Wire | None = None
    far: tuple[Stage, ...] = ()
    source_host: str = ""
    target_host: str = ""
    others: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()
    end: str = ""
    delivered: bool = False
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaving:
    """How the frame left its host; without a copy, the course is complete."""

    course: Course
    ends: Ends
    frame: Frame
    here: Side
    copy: Copy | None = None


def leave(here: Side, there: Side, ends: Ends, frame: Frame, trace: Trace) -> Leaving:
    """The frame's path out of its own host, with the copy for the target's host."""
    sent = copies(trace.datapath)
    found = _followed(here, there, ends, sent)
    way = _way(here, there, ends, found, trace)
    branches = tuple(_branches(here, ends, (copy for copy in sent if copy is not found)))
    course = Course(
        source=guest_name(ends.source),
        target=guest_name(ends.target),
        kind=frame.kind,
        frame=frame.words,
        facts=tuple(_facts(here, there, ends, frame)),
        layers=frame.layers,
        near=stages(
            here, way, frame.target_mac, found.outer.target_mac if found and found.outer else NO_MAC
        ),
        source_host=here.host,
        target_host=there.host,
        others=tuple(branch.words for branch in branches),
        branches=branches,
    )
    leaving = Leaving(course, ends, frame, here)
    if found is None:
        return replace(leaving, course=_stopped(course, here, ends, way))
    if found.answer:
        is_alone = not any(copy.outer for copy in sent)
        end = f'{BR_TUN} of {here.host} answers in place of {course.target}: "{found.answer}".'
        end += " Nothing leaves the host." if is_alone else ""
        return replace(leaving, course=replace(course, end=end, delivered=True))
    if found.port == int_port_name(ends.target.id):
        return replace(leaving, course=_handed_over(course, here, ends))
    udp_port = here.names.host.agent.vxlan_udp_port
    wire = Wire(here.host, there.host, on_the_wire(frame, found.outer, found.tag, udp_port))
    # `arrive` replaces this, if the far host has a port.
    end = f"Lost on {there.host}: it has no port for what {here.host} sends."
    return replace(leaving, course=replace(course, wire=wire, end=end), copy=found)


def _followed(here: Side, there: Side, ends: Ends, sent: Iterable[Copy]) -> Copy | None:
    """The copy for the target's port or host, or the local ARP reply."""
    from_port, to_port = int_port_name(ends.source.id), int_port_name(ends.target.id)
    vtep = str(there.names.host.local_ip)
    outside = here.outside(here.provider_bridge(ends.source_network))
    for copy in sent:
        if (copy.port == from_port and copy.answer) or copy.port == to_port:
            return copy
        is_for_host = copy.outer.target == vtep if copy.outer else copy.port == outside
        if there is not here and is_for_host:
            return copy
    return None


def _way(
    here: Side, there: Side, ends: Ends, found: Copy | None, trace: Trace
) -> tuple[Section, ...]:
    """The sections of the trace on the path of the followed copy."""
    if found is None:
        onward = () if there is here else (here.carrier(ends.source_network),)
        return _way_without_copy(trace, BR_INT, *onward)
    if found.outer:
        return way_to_vtep(trace, str(there.names.host.local_ip))
    if found.answer:
        return trace.sections[-1].way()
    if found.port == int_port_name(ends.target.id):
        return trace.sections[0].way()
    return way_to_bridge(trace, here.provider_bridge(ends.source_network))


def _way_without_copy(trace: Trace, *bridges: str) -> tuple[Section, ...]:
    """The sections of a frame without a copy for the target, up to the one that decided so.

    Only `bridges`, which lead to the target, count: copies of a flooded frame in other bridges are
    not the reason.
    """
    sections = [s for s in trace.sections if s.bridge in bridges] or trace.sections
    dropped = [s for s in sections if s.hits and s.hits[-1].actions == ["drop"]]
    return (dropped or sections)[-1].way()


def _facts(here: Side, there: Side, ends: Ends, frame: Frame) -> Iterator[str]:
    for side, port in ((here, ends.source), (there, ends.target)):
        if not side.names.overlay.port_of[port.id].is_active:
            yield f"{guest_name(port)}'s port is switched off or not plugged: no flow serves it."
    if ends.source_network.id != ends.target_network.id:
        yield (
            f"{guest_name(ends.source)} is in {ends.source_network.name}, "
            f"{guest_name(ends.target)} in {ends.target_network.name}: two networks, and no router "
            "between them. The path below is that of a frame sent anyway."
        )
        return
    if not frame.is_on_link:
        yield (
            f"{guest_name(ends.source)} and {guest_name(ends.target)} have no subnet in common, and "
            "no router is between them: a guest would send to its gateway instead. The path below is "
            "that of a frame sent anyway."
        )
    network = ends.source_network
    sides = [here] if there is here else [here, there]
    vlans = ", ".join(
        f"local VLAN {s.names.binding.local_vlans.get(network.id)} on {s.host}" for s in sides
    )
    yield f"{_carried(network)}; {vlans}"
    if here is not there and here.names.overlay.underlay.shape.is_routed:
        yield "The underlay routes: its routers write a new outer Ethernet header on each link."


def _carried(network: Network) -> str:
    """A network's name, type and id on the wire."""
    number, kind = network.segmentation_id, network.network_type
    if kind.is_tunnel:
        return f"{network.name} over {spelt(kind)}, {id_word(kind)} {number}"
    if not kind.is_provider:
        return f"{network.name}, which never leaves its host"
    return f"{network.name} as VLAN {number}" if number else f"{network.name}, untagged"


def _branches(side: Side, ends: Ends, rest: Iterable[Copy]) -> Iterator[Branch]:
    bridges = frozenset(side.reading)
    for copy in rest:
        if copy.outer:
            yield _towards(side, ends, copy.outer.target, spelt(copy.outer.kind))
        elif copy.port not in bridges:
            bridge = BR_INT if copy.port.startswith("qvo") else ""
            yield Branch(words=side.names.port(bridge, copy.port))


def _towards(side: Side, ends: Ends, vtep: str, kind: str) -> Branch:
    overlay, network = side.names.overlay, ends.source_network
    host = next((h for h in overlay.hosts if str(h.local_ip) == vtep), None)
    if host is None:
        return Branch(words=f"by {kind} to {vtep}, which is no host of the lab", host=vtep)
    ports = (port for port in overlay.active_ports(network.id) if port.host == host.name)
    guests = tuple(map(guest_name, ports))
    there = ", ".join(guests) if guests else f"no guest of {network.name}: an unneeded copy"
    words = f"by {kind} to {host.name} ({vtep}), where there is {there}"
    return Branch(words=words, host=host.name, guests=guests)


def _stopped(course: Course, side: Side, ends: Ends, way: tuple[Section, ...]) -> Course:
    """The end of a frame without a copy for the target."""
    last = way[-1]
    hit = last.hits[-1] if last.hits else None
    where = f"on {side.host}, in {last.bridge}"
    if hit and (hit.priority is None or hit.actions == ["drop"]):
        why = (*course.near, *course.far)[-1].steps[-1].why
        return replace(course, end=f"Dropped {where} table {hit.table}. {why}")
    target, network = guest_name(ends.target), ends.target_network
    is_other = network.id != ends.source_network.id
    elsewhere = f", which is on another network, {network.name}" if is_other else ""
    reason = "; ".join(losses(way)) or f"no copy goes to {target}{elsewhere}."
    return replace(course, end=f"Lost {where}: {reason}")


def _handed_over(course: Course, side: Side, ends: Ends) -> Course:
    """The end of a frame that reaches the target's port."""
    name, port = guest_name(ends.target), int_port_name(ends.target.id)
    plug = _plug(side, ends)
    if down := next((each for each in (port, *plug) if side.links.get(each, "up") != "up"), ""):
        which = "its link" if down == port else f"{down} behind it"
        end = f"Lost on {side.host}: {name}'s port {port} gets it, but {which} is down."
        return replace(course, end=end)
    answers = {
        "arp": f" {name} itself answers that {ends.target.mac_address} has the address.",
        "ping": f" {name} answers the echo.",
    }
    behind = f", then {listed(plug)}" if plug else ""
    end = f"Delivered to {name} by its port {port} on {side.host}{behind}."
    return replace(course, end=end + answers.get(course.kind, ""), delivered=True)


def _plug(side: Side, ends: Ends) -> tuple[str, ...]:
    """The devices between the port on br-int and the guest, in this order; none if it is direct."""
    if not side.names.host.hybrid_plug or ends.target.is_dhcp_server:
        return ()
    return hybrid_names(ends.target.id)[::-1]


def far_trace(leaving: Leaving, there: Side) -> tuple[str, str, tuple[str, ...]] | None:
    """The trace to run on the far host: bridge, port, more fields; None if it has no such port."""
    copy = leaving.copy
    if copy is None:
        return None
    if copy.outer:
        source = copy.outer.source or str(leaving.here.names.host.local_ip)
        port = there.tunnel_from(copy.outer.kind, source)
        family = "ipv6_" if ":" in source else ""
        tunnel = (
            f"tun_id={copy.outer.segmentation_id:#x}",
            f"tun_{family}src={source}",
            f"tun_{family}dst={copy.outer.target}",
        )
        return (BR_TUN, port, tunnel) if port else None
    bridge = there.provider_bridge(leaving.ends.source_network)
    port = there.outside(bridge)
    return (bridge, port, () if copy.tag is None else (f"dl_vlan={copy.tag}",)) if port else None


def arrive(leaving: Leaving, there: Side, trace: Trace) -> Course:
    """The complete course, with the far host's part."""
    ends, frame = leaving.ends, leaving.frame
    port = int_port_name(ends.target.id)
    tag = leaving.copy.tag if leaving.copy and not leaving.copy.outer else None
    sent = copies(trace.datapath, tag)
    found = next((copy for copy in sent if copy.port == port), None)
    way = way_to_bridge(trace, BR_INT) if found else _way_without_copy(trace, BR_INT)
    others = (copy for copy in sent if copy is not found)
    branches = tuple(
        Branch(words=f"on {there.host}: {each.words}", guests=each.guests)
        for each in _branches(there, ends, others)
    )
    course = replace(
        leaving.course,
        far=stages(there, way, frame.target_mac, NO_MAC),
        others=(*leaving.course.others, *(branch.words for branch in branches)),
        branches=(*leaving.course.branches, *branches),
    )
    return _handed_over(course, there, ends) if found else _stopped(course, there, ends, way)
