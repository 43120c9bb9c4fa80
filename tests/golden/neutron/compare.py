"""Compares flows and rows of generated overlays with those of the real agents; see README.md.

python -m tests.golden.neutron.compare FOLDER [SEED [COUNT]]
"""

import random
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from controller.flows.pipeline import RELEASES
from controller.model.agent import AgentOptions
from controller.model.encap import NetworkType
from controller.model.names import derived_id, derived_mac
from controller.model.overlay import Overlay
from controller.model.parts import AddressPair, Host, Network, Port, Subnet
from tests.golden.neutron.make import prepare, recorded
from tests.golden.test_neutron_agrees import bridge_rows, lines, sections, theirs_of

KINDS = (NetworkType.VXLAN, NetworkType.GRE, NetworkType.VLAN, NetworkType.FLAT, NetworkType.LOCAL)
PAIRS = ("10.244.0.0/16", "10.0.0.99", "0.0.0.0/0", "2001:db8:9::/64", "fe80::99", "::/0")
MACS = ("", "", "00:00:5e:00:01:01", "fa:16:3e:99:99:99")


def options(pick: random.Random, vxlan_udp_port: int) -> AgentOptions:
    """Options of one agent."""
    flags = [
        "dont_fragment",
        "tunnel_csum",
        "dscp_inherit",
        "explicitly_egress_direct",
        "igmp_snooping_enable",
        "igmp_flood",
        "igmp_flood_reports",
        "igmp_flood_unregistered",
    ]
    return AgentOptions(
        vxlan_udp_port=vxlan_udp_port,
        dscp=pick.choice((None, 0, 10, 46, 63)),
        bridge_mac_table_size=pick.choice((50000, 1000)),
        int_peer_patch_port=pick.choice(("patch-tun", "to-tun")),
        tun_peer_patch_port=pick.choice(("patch-int", "to-int")),
        **{name: pick.random() < 0.5 for name in flags},
    )


def overlay(seed: int) -> Overlay:
    """Two or three hosts with every option and kind of port."""
    pick = random.Random(seed)
    udp, l2_population = pick.choice((4789, 8472)), pick.random() < 0.6
    hosts = [
        Host(
            name=f"h{number}",
            local_ip=ip_address(f"192.0.2.{number}"),
            tunnel_types=(NetworkType.VXLAN, NetworkType.GRE),
            l2_population=l2_population,
            arp_responder=pick.random() < 0.5,
            bridge_mappings=(("physnet1", "br-ex"),),
            agent=options(pick, udp),
        )
        for number in range(1, pick.choice((3, 4)))
    ]
    networks = [
        Network(
            id=derived_id(str(seed), "network", str(kind)),
            name=str(kind),
            network_type=kind,
            segmentation_id=100 + index if kind.kind.id_max else None,
            physical_network="physnet1" if kind.is_provider else None,
        )
        for index, kind in enumerate(pick.sample(KINDS, 3))
    ]
    subnets = [
        Subnet(
            id=derived_id(net.id, str(cidr)), name=cidr, network_id=net.id, cidr=ip_network(cidr)
        )
        for net in networks
        for cidr in ("10.0.0.0/24", "2001:db8::/64")
    ]
    ports = []
    for number in range(pick.randint(4, 9)):
        id_ = derived_id(str(seed), "port", str(number))
        secured = pick.random() < 0.85
        chosen = pick.sample(PAIRS, pick.randint(0, 3)) if secured else []
        addresses = (f"10.0.0.{10 + number}", f"2001:db8::{10 + number}")
        ports.append(
            Port(
                id=id_,
                name=f"g{number}",
                network_id=pick.choice(networks).id,
                mac_address=derived_mac(id_),
                fixed_ips=tuple(ip_address(ip) for ip in addresses[: pick.randint(1, 2)]),
                host=pick.choice(hosts).name,
                device_id=f"g{number}",
                port_security_enabled=secured,
                allowed_address_pairs=tuple(
                    AddressPair(ip_address=ip_network(ip), mac_address=pick.choice(MACS))
                    for ip in chosen
                ),
            )
        )
    return Overlay(
        name=f"seed-{seed}",
        hosts=tuple(hosts),
        networks=tuple(networks),
        subnets=tuple(subnets),
        ports=tuple(ports),
    )


def main(folder: str, first: str = "1", count: str = "12") -> None:
    """Print each host that differs, and how many are equal."""
    prepare(Path(folder))
    seeds = range(int(first), int(first) + int(count))
    for release in RELEASES:
        overlays = [replace(overlay(seed), release=release) for seed in seeds]
        equal = all_hosts = 0
        for made, found in zip(overlays, recorded(Path(folder), release, overlays), strict=True):
            flows, rows = sections(found["flows"]), sections(theirs_of(release, found["rows"]))
            for host in made.hosts:
                mine = (sections([*lines(made, host)]), sections([*bridge_rows(made, host)]))
                theirs = tuple(
                    {head: below for head, below in each.items() if head.split()[1] == host.name}
                    for each in (flows, rows)
                )
                all_hosts += 1
                equal += mine == theirs
                for ours, real in zip(mine, theirs, strict=True):
                    for head in sorted(ours.keys() | real.keys()):
                        for line in sorted(set(ours.get(head, [])) ^ set(real.get(head, []))):
                            side = "ours" if line in ours.get(head, []) else "Neutron's"
                            print(f"{release} {made.name} {head}: {side} only: {line}")
        print(f"{release}: {equal} of {all_hosts} hosts have the same flows and rows", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
