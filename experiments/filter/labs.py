"""What is raised for the experiment `filter`, and what theory foretells of each rule.  Pure."""

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
from experiments.filter import rules
from experiments.measure.frames import Flow

PACKETS = 16  # of each flow
RED, BLUE = 101, 202  # tenants, by their segmentation_id; their addresses are the same
TENANTS = {"red": RED, "blue": BLUE}
CIDR = IPv4Network("10.5.0.0/24")
FLOWS = 8  # of red, each way, for conntrack
NAMED_PORT, OTHER_PORT = 20001, 20002
FIRST_PORT = 30000
TRACKED, TRANSLATED = 1, 2  # conntrack zones: a flow that it knows is not translated any more
NONE, ADDRESSES, SERVICE, OUTER_FLOW = "none", "outer addresses", "outer service", "outer flow"
INNER_NFT, INNER_U32, NO_ID = "inner, nft", "inner, u32", "inner without id, nft"
CONNTRACK, MASQUERADE = "conntrack", "masquerade"
RED_ONE, RED_OTHER, BLUE_ONE, BACK = "red", "red, other port", "blue, same flow", "red, back"
ENTRIES, REPLIED = "entries", "entries with a reply"
BLOCKS = {  # which flows each rule stops
    NONE: (),
    ADDRESSES: (RED_ONE, RED_OTHER, BLUE_ONE),
    SERVICE: (RED_ONE, RED_OTHER, BLUE_ONE),
    OUTER_FLOW: (RED_ONE, BLUE_ONE),
    NO_ID: (RED_ONE, RED_OTHER, BLUE_ONE),
    INNER_NFT: (RED_ONE, RED_OTHER),
    INNER_U32: (RED_ONE, RED_OTHER),
}


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The scenario's first two hosts across a WAN; two tenants with the same addresses on both."""
    bare = replace(
        overlay,
        hosts=overlay.hosts[:2],
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
        ports=(),
    )
    ports = (
        _port(name, at, host.name) for name in TENANTS for at, host in enumerate(bare.hosts, 1)
    )
    return by_mode(replace(bare, ports=tuple(ports)), point)


def _id(*parts: str) -> str:
    return derived_id("filter", *parts)


def _port(tenant: str, at: int, host: str) -> Port:
    """Guest number `at` of a tenant; the MAC is the same in both tenants, as the address is."""
    return Port(
        id=_id(tenant, str(at)),
        name=f"{tenant}{at}",
        network_id=_id(tenant),
        mac_address=derived_mac(_id("guest", str(at))),
        fixed_ips=(CIDR[at],),
        host=host,
        device_id=f"{tenant}{at}",
    )


def network_type(point: Point) -> NetworkType:
    """What the mode of the point tunnels by."""
    return parse_mode(str(point["mode"])).network_type or NetworkType.VXLAN


def flow(overlay: Overlay, port: int, *, is_back: bool = False) -> Flow:
    """A UDP flow of either tenant, from the first host to the second, or its answers."""
    one, other = overlay.ports[:2]
    near, far = (other, one) if is_back else (one, other)
    return Flow(
        source_mac=near.mac_address,
        target_mac=far.mac_address,
        source=near.ipv4[0],
        target=far.ipv4[0],
        source_port=port if not is_back else 9,
        target_port=9 if not is_back else port,
    )


def ruleset(rule: str, overlay: Overlay, point: Point, outer_port: int) -> tuple[str, str]:
    """The program that is told, and what: `nft` or `iptables-restore`."""
    one, other = (host.local_ip for host in overlay.hosts)
    kind = network_type(point)
    named = rules.Named(network_type=kind, segmentation_id=RED, source=CIDR[1], target=CIDR[2])
    texts = {
        NONE: rules.nft(),
        ADDRESSES: rules.nft(f"ip saddr {one} ip daddr {other} drop"),
        SERVICE: rules.nft(rules.by_service(kind)),
        OUTER_FLOW: rules.nft(rules.by_outer_flow(outer_port)),
        NO_ID: rules.nft(rules.by_inner_nft(named, with_id=False)),
        INNER_NFT: rules.nft(rules.by_inner_nft(named)),
        CONNTRACK: rules.in_zone(TRACKED) + rules.nft("ct state new counter"),
        MASQUERADE: rules.in_zone(TRANSLATED)
        + rules.nft(f"ip saddr {one} masquerade", hook="postrouting"),
    }
    if rule == INNER_U32:
        return "iptables-restore", rules.iptables(rules.by_inner_u32(named))
    return "nft", texts[rule]


def costs(rule: str, many: int, kind: NetworkType) -> tuple[str, str]:
    """A ruleset of so many rules that a packet is held against and that none matches."""
    named = [
        rules.Named(network_type=kind, segmentation_id=RED + 1 + at, source=CIDR[1], target=CIDR[2])
        for at in range(many)
    ]
    if rule == INNER_U32:
        return "iptables-restore", rules.iptables(*map(rules.by_inner_u32, named))
    if rule == CONNTRACK:
        return "nft", rules.nft("ct state new accept")
    return "nft", rules.nft(*map(rules.by_inner_nft, named))


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell."""
    return tuple({**point, **cell} for point in points for cell in _cells(point))


def blocking(kind: NetworkType) -> tuple[str, ...]:
    """The rules that can be written at all: GRE has no ports that a flow could be named by."""
    return tuple(rule for rule in BLOCKS if rule != OUTER_FLOW or kind is not NetworkType.GRE)


def _cells(point: Point) -> Iterator[Row]:
    kind = network_type(point)
    for rule in blocking(kind):
        for what in (RED_ONE, RED_OTHER, BLUE_ONE):
            passed = 0 if what in BLOCKS[rule] else PACKETS
            yield {"rule": rule, "what": what, "count": passed, "forwarded": passed}
    is_gre, is_kernel = kind is NetworkType.GRE, str(point["mode"]).startswith(KERNEL)
    yield {"rule": CONNTRACK, "what": ENTRIES, "count": 1 if is_gre else 2 * FLOWS}
    yield {"rule": CONNTRACK, "what": REPLIED, "count": 1 if is_gre else 0}
    # OVS takes a tunnel's packet from its remote_ip alone; Linux from anyone who has the VNI, and
    # learns from the outer source where the inner one is to be found: at the firewall.
    there, back = (PACKETS, 0) if is_kernel else (0, 0 if is_gre else PACKETS)
    yield {"rule": MASQUERADE, "what": RED_ONE, "count": there, "forwarded": PACKETS}
    yield {"rule": MASQUERADE, "what": BACK, "count": back, "forwarded": back}
