"""Entries that a compute host has learned about guests on other hosts."""

import json

from controller.model.parts import Host, Mechanism
from experiments.core.experiment import Lab


def is_kernel(host: Host) -> bool:
    """True if the host's tunnels are VXLAN devices of the Linux kernel, not ports of br-tun."""
    return host.mechanism is Mechanism.LINUXBRIDGE


def learned_entries(lab: Lab, host: Host) -> tuple[str, ...]:
    """Learned flows of br-tun's table 20, or learned FDB entries of the kernel's VXLAN devices."""
    if is_kernel(host):
        return tuple(
            line
            for device in vxlan_devices(lab, host)
            for line in lab.run(host.name, "bridge", "fdb", "show", "dev", device).splitlines()
            if " dst " in line and not is_static(line)
        )
    flows = lab.run(host.name, "ovs-ofctl", "dump-flows", "br-tun", "table=20")
    return tuple(line for line in flows.splitlines() if "hard_timeout" in line)


def vxlan_devices(lab: Lab, host: Host) -> tuple[str, ...]:
    """Names of the kernel's VXLAN devices, sorted."""
    links = json.loads(lab.run(host.name, "ip", "-json", "link", "show", "type", "vxlan"))
    return tuple(sorted(link["ifname"] for link in links if link))


def is_static(fdb_entry: str) -> bool:
    """True if the controller wrote this line of `bridge fdb show`; the kernel learned the others."""
    return bool({"permanent", "static"} & set(fdb_entry.split()))
