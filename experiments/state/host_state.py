"""Reads the state that a compute host keeps for its tunnels, and creates its tunnels again.

Hosts without Open vSwitch have tunnels of the Linux kernel.
"""

import json
import re

from controller.model.names import UNDERLAY
from controller.model.parts import Host
from controller.system.waiting import wait_for
from experiments.core.experiment import Lab
from experiments.measure.learned import is_kernel, is_static, learned_entries, vxlan_devices
from experiments.state import words
from experiments.state.labs import TUNNELS

TIMEOUT_S = 15.0
TUNNEL_PORTS = re.compile(r":(4789|6081|8472)\s")  # VXLAN, Geneve, VXLAN before its RFC
VSCTL = ("ovs-vsctl", "--timeout=10")


def kept(lab: Lab, host: Host) -> dict[str, int]:
    """The counts of state on one host."""
    udp = lab.run(host.name, "ss", "-Huan").splitlines()
    raw = lab.run(host.name, "cat", "/proc/net/raw", "/proc/net/raw6").splitlines()
    return {
        words.PORTS: len(tunnel_ports(lab, host)),
        words.LISTENERS: _listeners(lab, host),
        words.UDP_SOCKETS: sum(bool(TUNNEL_PORTS.search(line)) for line in udp),
        words.RAW_SOCKETS: sum(not line.lstrip().startswith("sl") for line in raw),
        words.NEIGHBOURS: len(neighbours(lab, host)),
    }


def tunnel_ports(lab: Lab, host: Host) -> frozenset[str]:
    """Names of open tunnel ports, or of the kernel's VXLAN devices."""
    return frozenset(vxlan_devices(lab, host) if is_kernel(host) else _ofports(lab, host))


def _ofports(lab: Lab, host: Host) -> dict[str, int]:
    """OpenFlow numbers of open tunnel ports; a port that is created again gets another."""
    columns = "--columns=name,type,ofport"
    listed = lab.run(host.name, *VSCTL, "--format=json", columns, "list", "Interface")
    return {
        name: ofport
        for name, type_, ofport in json.loads(listed)["data"]
        if type_ in TUNNELS and isinstance(ofport, int) and ofport > 0
    }


def _listeners(lab: Lab, host: Host) -> int:
    """Tunnel protocols for which OVS receives packets: one entry for each protocol, not each peer."""
    if is_kernel(host):
        return 0
    shown = lab.run(host.name, "ovs-appctl", "tnl/ports/show")
    return sum("ref_cnt" in line for line in shown.splitlines())


def neighbours(lab: Lab, host: Host) -> frozenset[str]:
    """Addresses of VTEPs whose MAC the host's datapath knows."""
    vteps = {str(other.local_ip) for other in lab.overlay.hosts}
    argv = (
        ("ip", "neigh", "show", "dev", UNDERLAY)
        if is_kernel(host)
        else ("ovs-appctl", "tnl/neigh/show")
    )
    entries = (line.split() for line in lab.run(host.name, *argv).splitlines())
    return frozenset(
        entry[0]
        for entry in entries
        if entry and entry[0] in vteps and not {"FAILED", "INCOMPLETE"} & set(entry)
    )


def delete_learned(lab: Lab, host: Host) -> None:
    """Delete the flows learned from what guests sent at their start."""
    if is_kernel(host):  # its devices are created again, and start empty
        return
    for flow in learned_entries(lab, host):
        match = re.search(r"(priority=\S+) actions", flow)
        if match:
            rule = f"table=20,{match[1]}"
            lab.run(host.name, "ovs-ofctl", "--strict", "del-flows", "br-tun", rule)


def lifetime_s(lab: Lab, host: Host) -> int | None:
    """Seconds after which an unused learned entry is removed."""
    if is_kernel(host):
        shown = lab.run(host.name, "ip", "-d", "link", "show", "type", "vxlan")
        found = re.search(r"ageing (\d+)", shown)
    else:
        found = re.search(r"hard_timeout=(\d+)", "\n".join(learned_entries(lab, host)))
    return int(found[1]) if found else None


def delete_neighbours(lab: Lab, host: Host) -> None:
    """Make a host forget the MACs of all VTEPs.

    Raises:
        WaitError: it still knows one.
    """
    if is_kernel(host):
        for vtep in neighbours(lab, host):
            lab.run(host.name, "ip", "neigh", "del", vtep, "dev", UNDERLAY)
    else:
        lab.run(host.name, "ovs-appctl", "revalidator/purge")  # megaflows hold MACs as well
        lab.run(host.name, "ovs-appctl", "tnl/neigh/flush")
    wait_for(
        lambda: not neighbours(lab, host),
        TIMEOUT_S,
        what=f"host {host.name!r} to forget its VTEP neighbours",
    )


def recreate_tunnels(lab: Lab, host: Host) -> None:
    """Delete every tunnel port of a host; the controller creates them again.

    Raises:
        WaitError: it did not, in time.
    """
    ports, rules = tunnel_ports(lab, host), len(_rules(lab, host))
    if is_kernel(host):
        for device in ports:
            lab.run(host.name, "ip", "link", "del", device)
    elif ports:
        commands = (word for port in ports for word in ("--", "del-port", "br-tun", port))
        lab.run(host.name, *VSCTL, *commands)
    wait_for(
        lambda: tunnel_ports(lab, host) == ports and _has_rules(lab, host, rules),
        TIMEOUT_S,
        what=f"the tunnels of host {host.name!r} to be created again",
    )


def _has_rules(lab: Lab, host: Host, count: int) -> bool:
    """True if all rules are back, and every port has one that receives and one that floods."""
    rules = _rules(lab, host)
    if is_kernel(host):
        return len(rules) == count
    floods = {number for rule in rules for number in re.findall(r"output:(\d+)", rule)}
    receives = {number for rule in rules for number in re.findall(r"in_port=(\d+)", rule)}
    numbers = set(map(str, _ofports(lab, host).values()))
    return len(rules) == count and numbers <= floods and numbers <= receives


def _rules(lab: Lab, host: Host) -> tuple[str, ...]:
    """The controller's flows of br-tun, or its entries of VXLAN devices; nothing learned."""
    if is_kernel(host):
        shown = lab.run(host.name, "bridge", "fdb", "show")
        return tuple(line for line in shown.splitlines() if " dst " in line and is_static(line))
    shown = lab.run(host.name, "ovs-ofctl", "--no-stats", "dump-flows", "br-tun")
    flows = (line for line in shown.splitlines() if "actions=" in line)
    return tuple(flow for flow in flows if "hard_timeout" not in flow.partition("actions=")[0])
