"""Neutron's errors, in its types, texts and HTTP statuses.  Pure.

Source: neutron_lib/exceptions and neutron/ipam/exceptions.py.
"""

from ipaddress import IPv4Address, IPv6Address

from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.parts import Network, Port, Subnet

Address = IPv4Address | IPv6Address
Pool = tuple[Address, Address]


class NeutronError(ModelError):
    """A request is refused the way Neutron refuses it.

    Its text is Neutron's own, so that a client which knows one knows the other.
    """

    def __init__(self, status: int, type_: str, message: str) -> None:
        Exception.__init__(self, message)
        self.status, self.type = status, type_


def error_body(type_: str, message: str) -> dict[str, dict[str, str]]:
    """The JSON body that carries an error."""
    return {"NeutronError": {"type": type_, "message": message, "detail": ""}}


def invalid(message: str) -> NeutronError:
    """A value that cannot be."""
    return NeutronError(400, "InvalidInput", f"Invalid input for operation: {message.rstrip('.')}.")


def not_found(kind: str, id_: str) -> NeutronError:
    """There is no such network, subnet, port or agent; `kind` is its name in lower case."""
    word = kind.capitalize()
    return NeutronError(404, f"{word}NotFound", f"{word} {id_} could not be found.")


def network_in_use(id_: str) -> NeutronError:
    """The network still has ports."""
    return NeutronError(
        409,
        "NetworkInUse",
        f"Unable to complete operation on network {id_}. "
        "There are one or more ports still in use on the network.",
    )


def subnet_in_use(id_: str) -> NeutronError:
    """A port still has an address of the subnet."""
    return NeutronError(
        409,
        "SubnetInUse",
        f"Unable to complete operation on subnet {id_}: "
        "One or more ports have an IP allocation from this subnet.",
    )


def agent_in_use(host: str, ports: int) -> NeutronError:
    """Ports are still bound to the host (ours: Neutron would leave them dangling)."""
    return NeutronError(
        409,
        "AgentInUse",
        f"Unable to forget host {host}. {ports} port(s) are bound there: "
        "delete them or bind them elsewhere first.",
    )


def segment_in_use(network: Network) -> NeutronError:
    """Another network has this type and segmentation_id."""
    start, id_ = "Unable to create the", network.segmentation_id
    physical = network.physical_network
    if network.network_type is NetworkType.FLAT:
        said = f"{start} flat network. Physical network {physical} is in use."
        return NeutronError(409, "FlatNetworkInUse", said)
    if network.network_type is NetworkType.VLAN:
        said = f"{start} network. The VLAN {id_} on physical network {physical} is in use."
        return NeutronError(409, "VlanIdInUse", said)
    return NeutronError(409, "TunnelIdInUse", f"{start} network. The tunnel ID {id_} is in use.")


def no_network_available() -> NeutronError:
    """The range for automatic allocation is used up."""
    return NeutronError(
        409,
        "NoNetworkAvailable",
        "Unable to create the network. No tenant network is available for allocation.",
    )


def mac_in_use(network_id: str, mac: str) -> NeutronError:
    """Another port of the network has this MAC."""
    return NeutronError(
        409,
        "MacAddressInUse",
        f"Unable to complete operation for network {network_id}. The mac address {mac} is in use.",
    )


def port_bound(port: Port, new_mac: str) -> NeutronError:
    """A bound port keeps its MAC (ML2 `_check_mac_update_allowed`)."""
    return NeutronError(
        409,
        "PortBound",
        f"Unable to complete operation on port {port.id}, port is already bound, "
        f"port type: ovs, old_mac {port.mac_address}, new_mac {new_mac}.",
    )


def address_in_use(ip: Address, subnet: Subnet) -> NeutronError:
    """Another port has this address."""
    return NeutronError(
        409,
        "IpAddressAlreadyAllocated",
        f"IP address {ip} already allocated in subnet {subnet.id}",
    )


def not_of_subnet(ip: Address) -> NeutronError:
    """The address is outside the subnet that was named, or not one a port may have."""
    return NeutronError(
        400,
        "InvalidIpForSubnet",
        f"IP address {ip} is not a valid IP for the specified subnet.",
    )


def not_of_network(ip: Address) -> NeutronError:
    """No subnet of the network has the address."""
    return NeutronError(
        400,
        "InvalidIpForNetwork",
        f"IP address {ip} is not a valid IP for any of the subnets on the specified network.",
    )


def no_more_addresses(network_id: str) -> NeutronError:
    """Every pool is used up."""
    return NeutronError(
        409,
        "IpAddressGenerationFailure",
        f"No more IP addresses available on network {network_id}.",
    )


def pool_text(pool: Pool) -> str:
    """How Neutron writes a pool."""
    return f"{pool[0]}-{pool[1]}"


def invalid_pool(pool: Pool) -> NeutronError:
    """The pool falls, or mixes IP versions."""
    return NeutronError(
        400, "InvalidAllocationPool", f"The allocation pool {pool_text(pool)} is not valid."
    )


def pool_out_of_bounds(pool: Pool, cidr: object) -> NeutronError:
    """The pool reaches outside its subnet, or onto an address no port may have."""
    return NeutronError(
        400,
        "OutOfBoundsAllocationPool",
        f"The allocation pool {pool_text(pool)} spans beyond the subnet cidr {cidr}.",
    )


def pools_overlap(one: Pool, other: Pool, cidr: object) -> NeutronError:
    """Two pools share an address."""
    return NeutronError(
        409,
        "OverlappingAllocationPools",
        f"Found overlapping allocation pools: {pool_text(one)} {pool_text(other)} "
        f"for subnet {cidr}.",
    )


def gateway_in_pool(ip: Address, pool: Pool) -> NeutronError:
    """The gateway could be given to a port."""
    return NeutronError(
        409,
        "GatewayConflictWithAllocationPools",
        f"Gateway ip {ip} conflicts with allocation pool {pool_text(pool)}.",
    )
