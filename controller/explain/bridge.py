"""One bridge as a dump shows it: networks, tunnels, MACs, guests.  Pure.

Everything is read from what the flows match and do, so that hand-made pipelines are understood,
too; Neutron's table numbers only decide between tunnel types.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address

from controller.explain import tables
from controller.explain.reading import DumpFlow
from controller.explain.shown import (
    Answer,
    Entry,
    Flood,
    Guest,
    Inbound,
    Translation,
    TunnelPort,
    jumps,
    set_text,
    set_value,
    set_vlan,
)
from controller.flows.actions import InPort, LearnReturnPath, Normal, Output, PopVlan, SetField
from controller.flows.pipeline import MULTICAST, UNICAST
from controller.flows.ports import BR_INT, BR_TUN, DEAD_VLAN_TAG
from controller.model.encap import NetworkType

HEX_NAME = re.compile(r"^(gre|vxlan|geneve)-([0-9a-f]{8})$")  # Neutron's `get_tunnel_name`
TUNNEL_NAME = re.compile(r"^(gre|vxlan|geneve)[-_\d]")
PATCH_TO_INT = re.compile(r"^(patch-int|patch_int|int-patch)")
MAC = re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$", re.IGNORECASE)
NO_SEGMENT = -1
TO = "->"  # between a port and the VTEP that a flow sets


@dataclass(frozen=True)
class DumpedBridge:
    """The flows of one bridge, and what the text has about its ports.

    Attributes:
        name: the text's, or `kind`.
        kind: br-int, br-tun, a provider bridge, or another bridge.
        is_part: the text has only some of its flows.
    """

    name: str
    kind: str
    flows: tuple[DumpFlow, ...]
    numbering: str = ""
    is_named: bool = False
    is_part: bool = False
    ofports: Mapping[str, str] = field(default_factory=dict)
    remotes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)

    def port(self, text: str | int) -> str:
        """A port's name if the text has it, else its number."""
        return self.ofports.get(str(text), str(text))

    def table(self, number: int) -> tuple[str, str]:
        """Neutron's name and purpose of a table."""
        return tables.named(self.kind, number, self.numbering)

    def outputs(self, flow: DumpFlow) -> tuple[str, ...]:
        """The ports that a flow sends to; `port->ADDRESS` where the flow itself sets the VTEP."""
        ports, address = [], ""
        for action in flow.actions:
            if isinstance(action, SetField) and action.field in {"tun_dst", "tun_ipv6_dst"}:
                address = str(action.value)
            elif isinstance(action, Output):
                port = self.port(action.port)
                ports.append(f"{port}{TO}{address}" if address else port)
        return tuple(ports)

    def in_table(self, number: int) -> tuple[DumpFlow, ...]:
        """The flows of a table."""
        return self._by_table.get(number, ())

    @cached_property
    def _by_table(self) -> Mapping[int, tuple[DumpFlow, ...]]:
        found: dict[int, list[DumpFlow]] = {}
        for flow in self.flows:
            found.setdefault(flow.table, []).append(flow)
        return {number: tuple(flows) for number, flows in found.items()}

    @cached_property
    def entry_of(self) -> Mapping[int, Entry]:
        """The MACs behind tunnels, by the line of their flow."""
        return {entry.flow.line: entry for entry in self.entries}

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The tables that have flows."""
        return tuple(sorted({flow.table for flow in self.flows}))

    @cached_property
    def learning_tables(self) -> frozenset[int]:
        """The tables that `learn` actions write to."""
        actions = (action for flow in self.flows for action in flow.actions)
        return frozenset(a.table for a in actions if isinstance(a, LearnReturnPath))

    def is_learned(self, flow: DumpFlow) -> bool:
        """Whether the switch wrote it by a `learn` action: only those have a timeout in Neutron."""
        return bool(flow.hard_timeout_s or flow.idle_timeout_s) and not isinstance(
            flow.actions[-1:] and flow.actions[-1], LearnReturnPath
        )

    # ---- br-tun

    @cached_property
    def inbound(self) -> tuple[Inbound, ...]:
        """The flows that translate tunnel ids to local VLANs."""
        return tuple(
            Inbound(tunnel_id, vlan, self._kinds(flow), flow)
            for flow in self.flows
            if isinstance(tunnel_id := flow.matched.get("tun_id"), int)
            if (vlan := set_vlan(flow)) is not None
        )

    def _kinds(self, flow: DumpFlow) -> tuple[NetworkType, ...]:
        """The tunnel types whose frames come to the flow's table, by the ports that lead to it."""
        named = [p.kind for p in self.tunnels if p.kind and flow.table in self.leads(p.port)]
        return tuple(dict.fromkeys(named)) or tables.tunnel_types(
            self.kind, flow.table, self.numbering
        )

    def leads(self, port: str) -> frozenset[int]:
        """The tables that frames from a port go to."""
        return self._leads.get(port, frozenset())

    @cached_property
    def _leads(self) -> Mapping[str, frozenset[int]]:
        found: dict[str, set[int]] = {}
        for flow in self.flows:
            if "in_port" in flow.matched:
                found.setdefault(self.port(flow.matched["in_port"]), set()).update(jumps(flow))
        return {port: frozenset(there) for port, there in found.items()}

    @cached_property
    def floods(self) -> tuple[Flood, ...]:
        """The flows that flood a local VLAN to tunnels."""
        return tuple(
            Flood(vlan, set_value(flow, "tun_id"), self.outputs(flow), flow)
            for flow in self.flows
            if self.kind == BR_TUN and isinstance(vlan := flow.matched.get("dl_vlan"), int)
            if str(flow.matched.get("dl_dst", MULTICAST)).lower()
            in {MULTICAST, "ff:ff:ff:ff:ff:ff"}
            if "proto" not in flow.matched and self._leaves(flow)
        )

    def _leaves(self, flow: DumpFlow) -> bool:
        """Whether a flow is about frames that leave by tunnels, though it may have no output."""
        is_flood_table = self.table(flow.table)[0] == "FLOOD_TO_TUN"
        has_id = set_value(flow, "tun_id") is not None
        return (is_flood_table or has_id) and not jumps(flow)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The MACs behind tunnels."""
        return tuple(
            Entry(
                vlan if isinstance(vlan := flow.matched.get("dl_vlan"), int) else NO_SEGMENT,
                mac.lower(),
                self.outputs(flow),
                set_value(flow, "tun_id"),
                self.is_learned(flow),
                flow,
            )
            for flow in self.flows
            if self.kind == BR_TUN and MAC.match(mac := str(flow.matched.get("dl_dst", "")))
            if not int(mac[:2], 16) & 1 and self.outputs(flow)
            if set_value(flow, "tun_id") is not None or self.is_learned(flow)
        )

    @cached_property
    def answers(self) -> tuple[Answer, ...]:
        """The entries of the ARP responder."""
        return tuple(
            Answer(vlan if isinstance(vlan, int) else NO_SEGMENT, str(address), mac, flow)
            for flow in self.flows
            if any(isinstance(action, InPort) for action in flow.actions)
            if (mac := set_text(flow, "arp_sha")) and (address := flow.matched.get("arp_tpa"))
            for vlan in (flow.matched.get("dl_vlan"),)
        )

    @cached_property
    def patch(self) -> str:
        """The port of br-tun that leads to br-int; empty if the text does not tell."""
        names = [*self.ofports.values(), *(self.port(p) for p in self._in_ports)]
        found = [name for name in names if PATCH_TO_INT.match(name)]
        splits = {f.table for f in self.flows if f.matched.get("dl_dst") in {UNICAST, MULTICAST}}
        found += [port for port in map(self.port, self._in_ports) if self.leads(port) & splits]
        learned = [o for f in self.flows if self._learns(f) for o in self.outputs(f)]
        first = {"PATCH_LV_TO_TUN", "DVR_PROCESS"}  # a trace has few other signs
        named = {number for number in self.numbers if self.table(number)[0] in first}
        led = [port for port in map(self.port, self._in_ports) if self.leads(port) & named]
        return next(iter((*found, *learned, *led)), "")

    @staticmethod
    def _learns(flow: DumpFlow) -> bool:
        return any(isinstance(action, LearnReturnPath) for action in flow.actions)

    @cached_property
    def _in_ports(self) -> tuple[str, ...]:
        found = (flow.matched["in_port"] for flow in self.flows if "in_port" in flow.matched)
        return tuple(dict.fromkeys(map(str, found)))

    @cached_property
    def tunnels(self) -> tuple[TunnelPort, ...]:
        """The tunnel ports that the text shows, in the order in which it does."""
        if self.kind != BR_TUN:
            return ()
        sent = (
            o for f in self.flows if set_value(f, "tun_id") is not None for o in self.outputs(f)
        )
        named = (name for name in self.ofports.values() if TUNNEL_NAME.match(name))
        ports = dict.fromkeys((*map(self.port, self._in_ports), *sent, *named))
        skipped = {self.patch, "LOCAL", ""}
        return tuple(self._tunnel(p) for p in ports if p not in skipped and self._may_be_tunnel(p))

    def _may_be_tunnel(self, port: str) -> bool:
        is_named = bool(TUNNEL_NAME.match(port)) or port in self.remotes
        return port.isdecimal() or is_named or TO in port

    def _tunnel(self, port: str) -> TunnelPort:
        name, _, address = port.partition(TO)
        found = TUNNEL_NAME.match(name)
        kinds = [
            k for t in self.leads(name) for k in tables.tunnel_types(self.kind, t, self.numbering)
        ]
        kind = NetworkType(found[1]) if found else next(iter(kinds), None)
        return TunnelPort(port, kind, address or self.remotes.get(name, "") or _address_in(name))

    def tunnel(self, port: str) -> TunnelPort | None:
        """The tunnel port of this name or number."""
        return self._tunnels.get(port)

    @cached_property
    def _tunnels(self) -> Mapping[str, TunnelPort]:
        return {tunnel.port: tunnel for tunnel in self.tunnels}

    @cached_property
    def local_vlans(self) -> tuple[int, ...]:
        """The local VLANs that br-tun's flows have, in their order."""
        vlans = [i.local_vlan for i in self.inbound]
        vlans += [f.local_vlan for f in self.floods] + [e.local_vlan for e in self.entries]
        return tuple(sorted({vlan for vlan in vlans if vlan not in {NO_SEGMENT, DEAD_VLAN_TAG}}))

    def tunnel_ids(self, vlan: int) -> tuple[int, ...]:
        """The tunnel ids that a local VLAN has, in either direction."""
        return tuple(self._ids.get(vlan, {}))

    @cached_property
    def _ids(self) -> Mapping[int, Mapping[int, None]]:
        found: dict[int, dict[int, None]] = {}
        sent: tuple[Inbound | Flood | Entry, ...] = (*self.inbound, *self.floods, *self.entries)
        for each in sent:
            if each.tunnel_id is not None:
                found.setdefault(each.local_vlan, {})[each.tunnel_id] = None
        return found

    def kind_of(self, vlan: int) -> NetworkType | None:
        """The tunnel type of a local VLAN's network, if the text shows it."""
        return self._kind_of.get(vlan)

    @cached_property
    def _kind_of(self) -> Mapping[int, NetworkType]:
        found: dict[int, NetworkType] = {}
        for inbound in self.inbound:
            for kind in inbound.kinds[:1]:
                found.setdefault(inbound.local_vlan, kind)
        sent: tuple[Flood | Entry, ...] = (*self.floods, *self.entries)
        for out in sent:
            for tunnel in filter(None, map(self.tunnel, out.ports)):
                if tunnel.kind:
                    found.setdefault(out.local_vlan, tunnel.kind)
        return found

    def flooded_to(self, vlan: int) -> tuple[str, ...]:
        """The ports that get a local VLAN's broadcasts."""
        ports = (p for flood in self.floods if flood.local_vlan == vlan for p in flood.ports)
        return tuple(dict.fromkeys(ports))

    # ---- br-int and provider bridges

    @cached_property
    def translations(self) -> tuple[Translation, ...]:
        """VLANs of provider networks and their local VLANs."""
        return tuple(filter(None, map(self._translation, self.flows)))

    def _translation(self, flow: DumpFlow) -> Translation | None:
        port, vlan = self.port(flow.matched.get("in_port", "")), flow.matched.get("dl_vlan")
        written = set_vlan(flow)
        if not port or self.kind == BR_TUN or "proto" in flow.matched:
            return None
        if self.kind == BR_INT:
            is_untagged = (
                str(flow.matched.get("vlan_tci", "")).startswith("0x0000/") or vlan == 0xFFFF
            )
            if written is None or not (isinstance(vlan, int) or is_untagged):
                return None
            return Translation(port, None if is_untagged else int(vlan or 0), written, flow)
        if not isinstance(vlan, int) or not any(
            isinstance(a, Normal | Output) for a in flow.actions
        ):
            return None
        is_untagged = any(isinstance(action, PopVlan) for action in flow.actions)
        return Translation(port, None if is_untagged else written, vlan, flow)

    @cached_property
    def guests(self) -> tuple[Guest, ...]:
        """The ports of br-int that have checks of their own."""
        if self.kind != BR_INT:
            return ()
        checked = [flow for flow in self.flows if "in_port" in flow.matched and self._checks(flow)]
        ports = dict.fromkeys(self.port(flow.matched["in_port"]) for flow in checked)
        return tuple(self._guest(port, checked) for port in ports)

    @staticmethod
    def _checks(flow: DumpFlow) -> bool:
        is_checked = flow.table in {24, 25, 71} or set_value(flow, "reg5") is not None
        return is_checked or (flow.table == 0 and {24, 25} & set(jumps(flow)) != set())

    def _guest(self, port: str, checked: list[DumpFlow]) -> Guest:
        flows = [flow for flow in checked if self.port(flow.matched["in_port"]) == port]
        macs = (str(f.matched["dl_src"]) for f in flows if "dl_src" in f.matched)
        addresses = (
            str(flow.matched[name]).partition("/")[0]
            if "/128" in str(flow.matched[name])
            else str(flow.matched[name])
            for flow in flows
            for name in ("arp_spa", "nd_target", "nw_src", "ipv6_src")
            if name in flow.matched and str(flow.matched[name]) != "0.0.0.0"
        )
        numbers = [n for f in flows if (n := set_value(f, "reg5")) is not None]
        vlans = [n for f in flows if (n := set_value(f, "reg6")) is not None]
        return Guest(
            port,
            tuple(dict.fromkeys(macs)),
            tuple(dict.fromkeys(addresses)),
            next(iter(vlans), self.tags.get(port)),
            next(iter(numbers), None),
        )


def _address_in(port: str) -> str:
    """The address of the remote VTEP that Neutron writes into a port's name."""
    found = HEX_NAME.match(port)
    return str(IPv4Address(int(found[2], 16))) if found else ""
