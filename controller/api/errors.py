"""Neutron's errors, with its types, texts and HTTP statuses.  Pure.

Source: neutron_lib/exceptions and neutron/ipam/exceptions.py.
"""

from controller.model.addresses import Pool
from controller.model.encap import NetworkType
from controller.model.errors import ModelError
from controller.model.parts import Address, Cidr, Network, Port, Subnet


class NeutronError(ModelError):
    """A request that Neutron would refuse, with Neutron's own text, which clients may parse."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        Exception.__init__(self, message)
        self.status, self.type = status, type_


def error_body(type_: str, message: str) -> dict[str, dict[str, str]]:
    """The JSON body of an error response."""
    return {"NeutronError": {"type": type_, "message": message, "detail": ""}}


def invalid(message: str) -> NeutronError:
    """An attribute has an invalid value."""
    return NeutronError(400, "InvalidInput", f"Invalid input for operation: {message.rstrip('.')}.")


def not_found(kind: str, id_: str) -> NeutronError:
    """There is no such network, subnet, port or agent; `kind` is its name in lower case."""
    name = kind.capitalize()
    return NeutronError(404, f"{name}NotFound", f"{name} {id_} could not be found.")


def _conflict(type_: str, message: str) -> NeutronError:
    return NeutronError(409, type_, message)


def network_in_use(id_: str) -> NeutronError:
    """The network still has ports."""
    problem = "There are one or more ports still in use on the network."
    return _conflict("NetworkInUse", f"Unable to complete operation on network {id_}. {problem}")


def subnet_in_use(id_: str) -> NeutronError:
    """A port still has an address of the subnet."""
    problem = "One or more ports have an IP allocation from this subnet."
    return _conflict("SubnetInUse", f"Unable to complete operation on subnet {id_}: {problem}")


def agent_in_use(host: str, ports: int) -> NeutronError:
    """Ports are still bound to the host (an error of ours: Neutron deletes the agent)."""
    problem = f"{ports} port(s) are bound there: delete them or bind them elsewhere first."
    return _conflict("AgentInUse", f"Unable to forget host {host}. {problem}")


def segment_in_use(network: Network) -> NeutronError:
    """Another network has this type and segmentation_id."""
    start, id_ = "Unable to create the", network.segmentation_id
    physical = network.physical_network
    if network.network_type is NetworkType.FLAT:
        message = f"{start} flat network. Physical network {physical} is in use."
        return _conflict("FlatNetworkInUse", message)
    if network.network_type is NetworkType.VLAN:
        message = f"{start} network. The VLAN {id_} on physical network {physical} is in use."
        return _conflict("VlanIdInUse", message)
    return _conflict("TunnelIdInUse", f"{start} network. The tunnel ID {id_} is in use.")


def no_network_available() -> NeutronError:
    """No id is left in the ranges for automatic allocation."""
    problem = "No tenant network is available for allocation."
    return _conflict("NoNetworkAvailable", f"Unable to create the network. {problem}")


def mac_in_use(network_id: str, mac: str) -> NeutronError:
    """Another port of the network has this MAC."""
    start = f"Unable to complete operation for network {network_id}."
    return _conflict("MacAddressInUse", f"{start} The mac address {mac} is in use.")


def port_bound(port: Port, new_mac: str) -> NeutronError:
    """The MAC of a bound port cannot be changed (ML2 `_check_mac_update_allowed`)."""
    return _conflict(
        "PortBound",
        f"Unable to complete operation on port {port.id}, port is already bound, "
        f"port type: ovs, old_mac {port.mac_address}, new_mac {new_mac}.",
    )


def address_in_use(ip: Address, subnet: Subnet) -> NeutronError:
    """Another port has this address."""
    message = f"IP address {ip} already allocated in subnet {subnet.id}"
    return _conflict("IpAddressAlreadyAllocated", message)


def not_of_subnet(ip: Address) -> NeutronError:
    """The address is outside the given subnet, or reserved."""
    message = f"IP address {ip} is not a valid IP for the specified subnet."
    return NeutronError(400, "InvalidIpForSubnet", message)


def not_of_network(ip: Address) -> NeutronError:
    """No subnet of the network has the address."""
    allowed = "any of the subnets on the specified network"
    message = f"IP address {ip} is not a valid IP for {allowed}."
    return NeutronError(400, "InvalidIpForNetwork", message)


def no_more_addresses(network_id: str) -> NeutronError:
    """Every address of the pools is taken."""
    message = f"No more IP addresses available on network {network_id}."
    return _conflict("IpAddressGenerationFailure", message)


def pool_text(pool: Pool) -> str:
    """An allocation pool as Neutron writes it."""
    return f"{pool[0]}-{pool[1]}"


def invalid_pool(pool: Pool) -> NeutronError:
    """The pool ends before it starts, or mixes IP versions."""
    message = f"The allocation pool {pool_text(pool)} is not valid."
    return NeutronError(400, "InvalidAllocationPool", message)


def pool_out_of_bounds(pool: Pool, cidr: Cidr) -> NeutronError:
    """The pool includes addresses outside its subnet, or reserved ones."""
    message = f"The allocation pool {pool_text(pool)} spans beyond the subnet cidr {cidr}."
    return NeutronError(400, "OutOfBoundsAllocationPool", message)


def pools_overlap(one: Pool, other: Pool, cidr: Cidr) -> NeutronError:
    """Two pools share an address."""
    pools = f"{pool_text(one)} {pool_text(other)}"
    message = f"Found overlapping allocation pools: {pools} for subnet {cidr}."
    return _conflict("OverlappingAllocationPools", message)


def gateway_in_pool(ip: Address, pool: Pool) -> NeutronError:
    """The gateway address is in a pool."""
    message = f"Gateway ip {ip} conflicts with allocation pool {pool_text(pool)}."
    return _conflict("GatewayConflictWithAllocationPools", message)
