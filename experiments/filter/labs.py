"""The labs of `filter`, the rulesets, and what theory predicts for each of them.  Pure."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from controller.model.encap import NetworkType
from controller.model.modes import KERNEL, parse_mode
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import Network, Port, Subnet
from controller.model.underlay import Shape, Underlay
from experiments.core.experiment import by_mode
from experiments.core.question import Point, Row
from experiments.filter import rules, words
from experiments.filter.rules import Ruleset
from experiments.filter.words import FLOW_A, FLOW_B, OTHER_A, PACKETS
from experiments.measure.frames import UDP_PORT, Flow

TENANTS = {"red": 101, "blue": 202}  # segmentation_ids
CIDR = IPv4Network("10.5.0.0/24")  # of both tenants
TRACKED_FLOWS = 8  # of tenant A, in each direction, for conntrack
NAMED_PORT, OTHER_PORT = 20001, 20002
FIRST_PORT = 30000
TRACKED, TRANSLATED = 1, 2  # conntrack zones: flows known in one are translated in the other
STOPPED = {  # the flows that each rule stops
    words.NO_RULE: (),
    words.ADDRESSES: (FLOW_A, OTHER_A, FLOW_B),
    words.SERVICE: (FLOW_A, OTHER_A, FLOW_B),
    words.OUTER_FLOW: (FLOW_A, FLOW_B),
    words.NO_ID: (FLOW_A, OTHER_A, FLOW_B),
    words.INNER_NFT: (FLOW_A, OTHER_A),
    words.INNER_U32: (FLOW_A, OTHER_A),
}


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The scenario's first two hosts across a WAN; two tenants with the same addresses on both."""
    hosts = overlay.hosts[:2]
    tenants = replace(
        overlay,
        hosts=hosts,
        underlay=Underlay(shape=Shape.WAN),
        dhcp=False,
        networks=tuple(
            Network(id=_id(name), name=name, network_type=NetworkType.VXLAN, segmentation_id=number)
            for name, number in TENANTS.items()
        ),
        subnets=tuple(
            Subnet(id=_id(name, "subnet"), name=name, network_id=_id(name), cidr=CIDR)
            for name in TENANTS
        ),
        ports=tuple(
            _port(name, number, host.name)
            for name in TENANTS
            for number, host in enumerate(hosts, 1)
        ),
    )
    return by_mode(tenants, point)


def _id(*parts: str) -> str:
    return derived_id("filter", *parts)


def _port(tenant: str, number: int, host: str) -> Port:
    """A guest of a tenant; the other tenant's guest `number` has the same MAC and IP address."""
    return Port(
        id=_id(tenant, str(number)),
        name=f"{tenant}{number}",
        network_id=_id(tenant),
        mac_address=derived_mac(_id("guest", str(number))),
        fixed_ips=(CIDR[number],),
        host=host,
        device_id=f"{tenant}{number}",
    )


def network_type(point: Point) -> NetworkType:
    """The tunnel type of the point's mode."""
    return parse_mode(str(point["mode"])).network_type or NetworkType.VXLAN


def flow(overlay: Overlay, port: int, *, is_back: bool = False) -> Flow:
    """A UDP flow of either tenant from the first host to the second, or in the other direction."""
    near, far = reversed(overlay.ports[:2]) if is_back else overlay.ports[:2]
    source_port, target_port = (UDP_PORT, port) if is_back else (port, UDP_PORT)
    return Flow(
        source_mac=near.mac_address,
        target_mac=far.mac_address,
        source=near.ipv4[0],
        target=far.ipv4[0],
        source_port=source_port,
        target_port=target_port,
    )


def _tenant_flow(kind: NetworkType, segmentation_id: int) -> rules.TenantFlow:
    """The flow from the first host to the second in a network."""
    return rules.TenantFlow(
        network_type=kind, segmentation_id=segmentation_id, source=CIDR[1], target=CIDR[2]
    )


def ruleset(rule: str, overlay: Overlay, point: Point, outer_port: int) -> Ruleset:
    """The ruleset that stops the flow of red with this outer source port."""
    one, other = (host.local_ip for host in overlay.hosts)
    kind = network_type(point)
    red = _tenant_flow(kind, TENANTS["red"])
    rulesets = {
        words.NO_RULE: rules.nft(),
        words.ADDRESSES: rules.nft(f"ip saddr {one} ip daddr {other} drop"),
        words.SERVICE: rules.nft(rules.by_service(kind)),
        words.OUTER_FLOW: rules.nft(f"udp sport {outer_port} drop"),
        words.NO_ID: rules.nft(rules.by_inner_nft(red, with_id=False)),
        words.INNER_NFT: rules.nft(rules.by_inner_nft(red)),
        words.INNER_U32: rules.iptables(rules.by_inner_u32(red)),
        words.CONNTRACK: rules.nft("ct state new counter", zone=TRACKED),
        words.MASQUERADE: rules.nft(
            f"ip saddr {one} masquerade", hook="postrouting", zone=TRANSLATED
        ),
    }
    return rulesets[rule]


def unmatched_ruleset(rule: str, number: int, kind: NetworkType) -> Ruleset:
    """So many rules of which a packet of red matches none."""
    if rule == words.CONNTRACK:
        return rules.nft("ct state new accept")
    flows = [_tenant_flow(kind, TENANTS["red"] + nth) for nth in range(1, number + 1)]
    if rule == words.INNER_U32:
        return rules.iptables(*map(rules.by_inner_u32, flows))
    return rules.nft(*map(rules.by_inner_nft, flows))


def stopping(kind: NetworkType) -> tuple[str, ...]:
    """The rules that are to stop a flow; GRE has no ports for one on the outer flow."""
    return tuple(
        rule for rule in STOPPED if rule != words.OUTER_FLOW or kind is not NetworkType.GRE
    )


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The counts of every cell."""
    return tuple({**point, **cell} for point in points for cell in _cells(point))


def _cells(point: Point) -> Iterator[Row]:
    kind = network_type(point)
    for rule in stopping(kind):
        for what in (FLOW_A, OTHER_A, FLOW_B):
            passed = 0 if what in STOPPED[rule] else PACKETS
            yield {"rule": rule, "what": what, "count": passed, "forwarded": passed}
    is_gre, is_kernel = kind is NetworkType.GRE, str(point["mode"]).startswith(KERNEL)
    entries, replied = (1, 1) if is_gre else (2 * TRACKED_FLOWS, 0)
    yield {"rule": words.CONNTRACK, "what": words.ENTRIES, "count": entries}
    yield {"rule": words.CONNTRACK, "what": words.REPLIED, "count": replied}
    # OVS accepts a tunnel's packets only from its remote_ip.  The kernel accepts all with the VNI,
    # and learns from the outer source where to send the other direction: to the firewall.
    there, back = (PACKETS, 0) if is_kernel else (0, 0 if is_gre else PACKETS)
    yield {"rule": words.MASQUERADE, "what": FLOW_A, "count": there, "forwarded": PACKETS}
    yield {"rule": words.MASQUERADE, "what": words.BACK_A, "count": back, "forwarded": back}
