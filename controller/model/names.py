"""Names of devices and ids, as Neutron and Nova would give them."""

import base64
import hashlib
import uuid
from ipaddress import IPv4Address, IPv6Address, ip_address

from controller.model.encap import NetworkType

UNDERLAY = "underlay"  # a host's interface to the underlay, and the switch that joins the hosts
VTEP_BRIDGE = "br-vtep"  # the host's bridge on the underlay, with the VTEP's address
IFNAMSIZ = 15  # usable characters of a Linux interface name
INTERFACE_HASH_LEN = 6  # hexadecimal digits at the end of a name that was cut
_NAMESPACE = uuid.UUID("5f0a3f6e-5d3c-5a55-9d0e-0b1a6f1f7c11")  # any constant will do


def tunnel_port_name(
    network_type: NetworkType, remote_ip: IPv4Address | IPv6Address | str, release: str = "queens"
) -> str:
    """The port on br-tun towards one VTEP: `vxlan-c0a8960b` for 192.168.150.11.

    Over IPv6 it is a hash of the text of the address: fd00:150:0::11 and fd00:150::11 have two
    names, as in Neutron.

    Source: Neutron `OVSNeutronAgent.get_tunnel_name` and `get_tunnel_hash`.
    """
    address = ip_address(remote_ip)
    if isinstance(address, IPv4Address):
        return f"{network_type}-{int(address):08x}"
    digest = TUNNEL_HASH[release](str(remote_ip))
    spare = IFNAMSIZ - len(network_type.value) - 1
    return f"{network_type}-{base64.b32encode(digest).decode().lower()[:spare]}"


def int_port_name(port_id: str) -> str:
    """The guest's port on br-int, `qvo` and the first 11 characters of the port's id."""
    return f"qvo{port_id[:11]}"


def hybrid_names(port_id: str) -> tuple[str, str, str]:
    """The hybrid plug's devices before `qvo...`: the guest's tap, the bridge, the veth on it.

    Source: os-vif `vif_plug_ovs.ovs.OvsPlugin.gen_port_name`, Nova `VIF_HYBRID`.
    """
    short = port_id[:11]
    return tap_name(port_id), f"qbr{short}", f"qvb{short}"


def tap_name(port_id: str) -> str:
    """The guest's port in a Linux bridge, `tap` and the first 11 characters of the port's id.

    Source: Neutron `linuxbridge_neutron_agent.LinuxBridgeManager.get_tap_device_name`.
    """
    return f"tap{port_id[:11]}"


def bridge_name(network_id: str) -> str:
    """A network's Linux bridge, `brq` and the first 11 characters of the network's id.

    Source: Neutron `LinuxBridgeManager.get_bridge_name`.
    """
    return f"brq{network_id[:11]}"


def vxlan_name(vni: int) -> str:
    """A network's kernel VXLAN device: `vxlan-111`.

    Source: Neutron `LinuxBridgeManager.get_vxlan_device_name`.
    """
    return f"vxlan-{vni}"


def patch_to_phys(bridge: str) -> tuple[str, str]:
    """The patch pair between br-int and a provider bridge: (on br-int, on the bridge)."""
    return _interface_name("int-", bridge), _interface_name("phy-", bridge)


def provider_interface(physical_network: str) -> str:
    """A host's interface to a physical network: `ext-physnet1`."""
    return _interface_name("ext-", physical_network)


def segment_bridge(name: str) -> str:
    """The Linux bridge of the node `name` that is an Ethernet: `br-underlay`."""
    return _interface_name("br-", name)


def _interface_name(prefix: str, name: str) -> str:
    """`prefix` and `name`; if too long, cut and with a hash of the whole `name` at the end.

    Source: neutron_lib `plugins.utils.get_interface_name`.
    """
    spare = IFNAMSIZ - len(prefix)
    if len(name) <= spare:
        return prefix + name
    digest = _sha1(name).hex()[:INTERFACE_HASH_LEN]
    return prefix + name[: spare - INTERFACE_HASH_LEN] + digest


def _sha1(text: str) -> bytes:
    """Neutron's hash of a name; not used for security."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).digest()


def _blake2b(text: str) -> bytes:
    """Neutron's hash since 25.0.0 (its commit d782a868d7)."""
    return hashlib.blake2b(text.encode(), digest_size=20).digest()


TUNNEL_HASH = {"queens": _sha1, "current": _blake2b}  # by release; of IPv6 VTEPs' names only


def derived_id(*parts: str) -> str:
    """A UUID that depends only on `parts`, so that a scenario without ids is repeatable."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def server_port_id(overlay: str, server: str, *, turn: int = 0) -> str:
    """The id of a server's port, from the names of the overlay and the server.

    `turn` gives another one, if the first one is taken.
    """
    return derived_id(overlay, "port", server, *([str(turn)] if turn else []))


def derived_mac(port_id: str) -> str:
    """A MAC under Neutron's base_mac fa:16:3e:00:00:00, made from the port's id."""
    tail = hashlib.blake2b(port_id.encode(), digest_size=3).digest()
    return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in tail)


def underlay_mac(address: IPv4Address | IPv6Address) -> str:
    """The MAC of a VTEP's bridge, made from its address, so that a lab is repeatable.

    02 in the first octet marks it as locally administered (IEEE 802).
    """
    tail = hashlib.blake2b(str(address).encode(), digest_size=4).digest()
    return "02:01:" + ":".join(f"{byte:02x}" for byte in tail)


def link_local(mac: str) -> IPv6Address:
    """The fe80::/64 address that a guest forms from its MAC (RFC 4291, appendix A)."""
    octets = [int(part, 16) for part in mac.split(":")]
    eui64 = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return IPv6Address(bytes([0xFE, 0x80, 0, 0, 0, 0, 0, 0]) + eui64)
