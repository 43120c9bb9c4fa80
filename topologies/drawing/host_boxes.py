"""One host of a drawing: its servers and bridges as boxes, what is joined, and what leads outside.  Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from controller.explain.names import spelt
from controller.flows.ports import BR_INT, BR_TUN
from controller.model.encap import TUNNEL_TYPES, NetworkType
from controller.model.names import UNDERLAY, VTEP_BRIDGE, hybrid_names
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism, Network, Port
from controller.model.wording import counted
from topologies.drawing.dot import LINE, Box, Dash, Look, Row, Stroke
from topologies.drawing.metrics import shortened
from topologies.drawing.palette import STROKES
from topologies.drawing.ports import DrawnPort, HostPorts
from topologies.plan.plan import guest_name, mapped

SERVERS_MOST = 12  # of one host that are drawn; the others are counted
PORTS_MOST = 24  # the same of the ports of one bridge
THIN = Stroke()
ROUTED = Stroke(dash=Dash.DOTTED)


def name_of(network: Network) -> str:
    """A network's name, or the start of its id if it has none."""
    return shortened(network.name) if network.name else network.id[:8]


def overlay_id(kind: NetworkType) -> str:
    """The id of the box of all tunnels of an encapsulation."""
    return f"overlay/{kind}"


def physical_id(name: str) -> str:
    """The id of the box of a physical network."""
    return f"physical/{name}"


@dataclass(frozen=True, slots=True)
class Place:
    """A box, or one of its rows."""

    box: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """A line from a place nearer to the servers to one nearer to the underlay."""

    outer: Place
    inner: Place
    stroke: Stroke = THIN


@dataclass(frozen=True, slots=True)
class Tap:
    """A line from a place of a host to a box that hosts have in common."""

    place: Place
    target: str
    stroke: Stroke = THIN


@dataclass(frozen=True)
class HostBoxes:
    """The boxes of one host, by column, and their lines.

    `is_grouped`: tunnel ports are counted by encapsulation instead of listed.
    """

    overlay: Overlay
    ports: HostPorts
    colours: Mapping[str, str]
    is_grouped: bool = False

    @cached_property
    def host(self) -> Host:
        return self.overlay.host(self.ports.host)

    @property
    def title(self) -> Box:
        """Its name, and how it floods."""
        options = []
        if self.host.tunnel_types:
            options.append("l2population" if self.host.l2_population else "floods to every VTEP")
        if self.host.is_arp_responder:
            options.append("ARP responder")
        rows = (Row(text=", ".join(options)),) if options else ()
        return Box(id=self.id_of("title"), heading=self.host.name, rows=rows, look=Look.BARE)

    def id_of(self, part: str) -> str:
        """The id of one of its boxes."""
        return f"{self.host.name}/{part}"

    # Boxes

    @cached_property
    def guests(self) -> dict[str, tuple[Port, ...]]:
        """Its servers, each with its ports on this host."""
        found: dict[str, tuple[Port, ...]] = {}
        for port in self.overlay.ports:
            if port.host == self.host.name:
                found[guest_name(port)] = (*found.get(guest_name(port), ()), port)
        return found

    @cached_property
    def servers(self) -> tuple[Box, ...]:
        """A box for each server."""
        drawn = list(self.guests.items())[:SERVERS_MOST]
        boxes = [self._server(name, ports) for name, ports in drawn]
        if rest := len(self.guests) - len(drawn):
            row = Row(text=f"and {counted(rest, 'more server')}")
            boxes.append(Box(id=self.id_of("more"), heading="", rows=(row,), look=Look.BARE))
        return tuple(boxes)

    @cached_property
    def inner(self) -> tuple[Box, ...]:
        """br-int, or the Linux bridges: what servers are plugged into."""
        return tuple(self._bridge(each) for each in self.ports.bridges if self._is_inner(each))

    @cached_property
    def outer(self) -> tuple[Box, ...]:
        """br-tun and the provider bridges."""
        names = (b for b in self.ports.bridges if not self._is_inner(b) and b != VTEP_BRIDGE)
        return tuple(self._bridge(name) for name in names)

    @cached_property
    def vtep(self) -> Box:
        """The device with the VTEP's address; with its ports if it carries tenants untunnelled."""
        rows = [Row(text=f"VTEP {self.host.vtep}")]
        if self._has_tenants(VTEP_BRIDGE):
            rows += [row for _, row in self._rows(VTEP_BRIDGE)]
        is_bridge = self.host.mechanism is Mechanism.LINUXBRIDGE
        name = UNDERLAY if is_bridge else VTEP_BRIDGE
        heading = f"interface {name}" if is_bridge else name
        return Box(id=self.id_of(name), heading=heading, rows=tuple(rows))

    def _is_inner(self, bridge: str) -> bool:
        return bridge == BR_INT or self.host.mechanism is Mechanism.LINUXBRIDGE

    def _has_tenants(self, bridge: str) -> bool:
        return any(bridge == each for _, each in self.host.bridge_mappings)

    def _server(self, name: str, ports: tuple[Port, ...]) -> Box:
        rows = [Row(text="DHCP server")] if ports[0].is_dhcp_server else []
        for port in ports:
            rows += self._server_rows(port, is_one=len(ports) == 1)
        return Box(
            id=self.id_of(f"server/{name}"),
            heading=shortened(name),
            rows=tuple(rows),
            colour=self.colours.get(ports[0].network_id, LINE),
            look=Look.ROUND,
        )

    def _server_rows(self, port: Port, *, is_one: bool) -> Iterator[Row]:
        colour = "" if is_one else self.colours.get(port.network_id, LINE)
        for ip in port.fixed_ips:
            yield Row(text=str(ip), colour=colour)
        yield Row(text=port.mac_address, is_muted=True)
        if self.host.hybrid_plug and not port.is_dhcp_server:
            yield Row(text=f"behind {hybrid_names(port.id)[1]}", is_muted=True)
        if not port.admin_state_up:
            yield Row(text="port switched off", is_muted=True)
        elif not port.is_active or port.id not in self._plugged:
            yield Row(text="not plugged", is_muted=True)

    def _bridge(self, bridge: str) -> Box:
        rows = [row for _, row in self._rows(bridge)]
        if rest := len(self.ports.bridges[bridge]) - PORTS_MOST:
            is_long = rest > 0 and not (bridge == BR_TUN and self.is_grouped)
            rows += [Row(text=f"and {counted(rest, 'more port')}")] if is_long else []
        return Box(id=self.id_of(bridge), heading=bridge, rows=tuple(rows))

    def _rows(self, bridge: str) -> list[tuple[str, Row]]:
        """The rows of a bridge, each with the name of its port, or an encapsulation."""
        ports = self.ports.bridges[bridge]
        if self.is_grouped:
            singles = [port for port in ports if not (port.encapsulation and bridge == BR_TUN)]
            rows = [(port.name, self._row(port)) for port in singles[:PORTS_MOST]]
            for kind in TUNNEL_TYPES if bridge == BR_TUN else ():
                if found := self.tunnels(kind):
                    text = counted(len(found), f"{spelt(kind)} port")
                    rows.append((str(kind), Row(text=text)))
            return rows
        return [(port.name, self._row(port)) for port in ports[:PORTS_MOST]]

    def _row(self, port: DrawnPort) -> Row:
        parts, colour = [port.name], ""
        if port.number is not None:
            parts = [f"{port.number}  {port.name}"]
        if port.encapsulation:
            parts.append(f"to {_remotes(port)}")
        if port.port_id:
            known = self.overlay.port_of.get(port.port_id)
            vlan = self.ports.local_vlans.get(known.network_id) if known else None
            colour = self.colours.get(known.network_id, "") if known else ""
            parts += [f"VLAN {vlan}"] if vlan and known and known.is_active else []
            parts += [] if known else ["(unknown to Neutron)"]
        return Row(text=shortened(" ".join(parts), 60), colour=colour)

    # Lines

    def tunnels(self, kind: NetworkType) -> list[DrawnPort]:
        """Its tunnel ports of an encapsulation."""
        found = (port for ports in self.ports.bridges.values() for port in ports)
        return [port for port in found if port.encapsulation is kind]

    @property
    def tunnel_rows(self) -> dict[tuple[NetworkType, str], Place]:
        """Where the tunnel to a VTEP ends, if the tunnel ports are listed."""
        return {
            (port.encapsulation, remote): self._place(BR_TUN, port.name)
            for port in self.ports.bridges.get(BR_TUN, ())
            for remote in port.remotes
            if port.encapsulation and self._place(BR_TUN, port.name).row is not None
        }

    @cached_property
    def _plugged(self) -> dict[str, Place]:
        """Where the line of a Neutron port ends, by its id."""
        return {
            port.port_id: self._place(bridge, port.name)
            for bridge, ports in self.ports.bridges.items()
            for port in ports
            if port.port_id
        }

    def _place(self, bridge: str, name: str) -> Place:
        names = [each for each, _ in self._rows(bridge)]
        offset = 1 if bridge == VTEP_BRIDGE else 0
        return Place(self.id_of(bridge), names.index(name) + offset if name in names else None)

    def wires(self) -> Iterator[Wire]:
        """The lines within the host: servers, patch ports, and what the host routes."""
        for name in list(self.guests)[:SERVERS_MOST]:
            for port in self.guests[name]:
                if end := self._plugged.get(port.id):
                    stroke = Stroke(colour=self.colours.get(port.network_id, LINE), width=2.5)
                    yield Wire(Place(self.id_of(f"server/{name}")), end, stroke)
        by_name = {
            port.name: bridge for bridge, ports in self.ports.bridges.items() for port in ports
        }
        for patch in self.ports.bridges.get(BR_INT, ()):
            if (bridge := by_name.get(patch.peer)) and bridge != BR_INT:
                yield Wire(self._place(BR_INT, patch.name), self._place(bridge, patch.peer))

    @property
    def routed(self) -> Wire | None:
        """No wire: the host routes what tunnel ports send to the VTEP's device."""
        if BR_TUN not in self.ports.bridges:
            return None
        return Wire(Place(self.id_of(BR_TUN)), Place(self.vtep.id), ROUTED)

    def taps(self) -> Iterator[Tap]:
        """The lines to the overlays and the physical networks."""
        for bridge, ports in self.ports.bridges.items():
            is_counted = self.is_grouped and bridge == BR_TUN
            kinds = [port.encapsulation for port in ports if port.encapsulation]
            for kind in dict.fromkeys(kinds) if is_counted else ():
                yield Tap(self._place(bridge, str(kind)), overlay_id(kind), STROKES[kind])
            for port in () if is_counted else ports:
                if port.encapsulation:
                    stroke = STROKES[port.encapsulation]
                    yield Tap(
                        self._place(bridge, port.name), overlay_id(port.encapsulation), stroke
                    )
        for name, bridge in mapped(self.host):
            if bridge in self.ports.bridges:
                yield Tap(Place(self.id_of(bridge)), physical_id(name))


def _remotes(port: DrawnPort) -> str:
    if len(port.remotes) > 2:
        return f"{len(port.remotes)} VTEPs"
    return ", ".join(port.remotes) or "no VTEP"
