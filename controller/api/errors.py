"""Neutron's errors, with its types, texts and HTTP statuses.  Pure.

Source: neutron_lib/exceptions and neutron/ipam/exceptions.py; AgentInUse, AgentExists and
AgentAddressInUse are ours: Neutron's agents report over RPC, and it deletes those of hosts with ports.
"""

from controller.model.errors import ModelError, ModelErrors

BAD_REQUESTS = {
    "InvalidInput": "Invalid input for operation: {problem}.",
    "InvalidIpForSubnet": "IP address {ip} is not a valid IP for the specified subnet.",
    "InvalidIpForNetwork": "IP address {ip} is not a valid IP for any of the subnets on the "
    "specified network.",
    "DuplicateAddressPairInRequest": "Request contains duplicate address pair: mac_address {mac} "
    "ip_address {ip}.",
    "AllowedAddressPairExhausted": "The number of allowed address pair exceeds the maximum {quota}.",
    "InvalidAllocationPool": "The allocation pool {low}-{high} is not valid.",
    "OutOfBoundsAllocationPool": "The allocation pool {low}-{high} spans beyond the subnet cidr "
    "{cidr}.",
}
CONFLICTS = {
    "AddressPairAndPortSecurityRequired": "Port Security must be enabled in order to have allowed "
    "address pairs on a port.",
    "NetworkMTUSubnetConflict": "MTU of {network} is not valid, subnet requires a minimum of {mtu} "
    "bytes.",
    "NetworkInUse": "Unable to complete operation on network {network}. There are one or more "
    "ports still in use on the network.",
    "SubnetInUse": "Unable to complete operation on subnet {subnet}: One or more ports have an IP "
    "allocation from this subnet.",
    "AgentInUse": "Unable to forget host {host}. {ports} port(s) are bound there: delete them or "
    "bind them elsewhere first.",
    "AgentExists": "The agent of host {host} exists with other values: {names}. Change it with "
    "PUT, or delete it first.",
    "AgentAddressInUse": "Unable to register host {host}: {name} {value} is that of host {other}.",
    "FlatNetworkInUse": "Unable to create the flat network. Physical network {physical} is in use.",
    "VlanIdInUse": "Unable to create the network. The VLAN {id} on physical network {physical} is "
    "in use.",
    "TunnelIdInUse": "Unable to create the network. The tunnel ID {id} is in use.",
    "NoNetworkAvailable": "Unable to create the network. No tenant network is available for "
    "allocation.",
    "MacAddressInUse": "Unable to complete operation for network {network}. The mac address {mac} "
    "is in use.",
    # ML2 `_check_mac_update_allowed`
    "PortBound": "Unable to complete operation on port {port}, port is already bound, port type: "
    "ovs, old_mac {old}, new_mac {new}.",
    "IpAddressAlreadyAllocated": "IP address {ip} already allocated in subnet {subnet}",
    "IpAddressGenerationFailure": "No more IP addresses available on network {network}.",
    "OverlappingAllocationPools": "Found overlapping allocation pools: {pools} for subnet {cidr}.",
    "GatewayConflictWithAllocationPools": "Gateway ip {gateway} conflicts with allocation pool "
    "{low}-{high}.",
}


class NeutronError(ModelError):
    """A request that Neutron would refuse, with Neutron's own text, which clients may parse."""

    def __init__(self, status: int, type_: str, message: str, detail: str = "") -> None:
        Exception.__init__(self, message)
        self.status, self.type, self.detail = status, type_, detail


def error_body(type_: str, message: str, detail: str = "") -> dict[str, dict[str, str]]:
    """The JSON body of an error response."""
    return {"NeutronError": {"type": type_, "message": message, "detail": detail}}


def as_neutron(error: ModelError) -> NeutronError:
    """What the model refuses, as Neutron would answer: its own error for the first one if it has one.

    `detail` has the model's own text then, which also says what is allowed and what to do.
    """
    if isinstance(error, NeutronError):
        return error
    first = error.errors[0] if isinstance(error, ModelErrors) else error
    text = "; ".join(str(error).splitlines())
    if first.neutron is None:
        return invalid(text)
    type_, values = first.neutron
    known = {**BAD_REQUESTS, **CONFLICTS}
    message = known[type_].format_map(values)
    return NeutronError(400 if type_ in BAD_REQUESTS else 409, type_, message, text)


def bad_request(type_: str, **values: object) -> NeutronError:
    """The error 400 of this type; `values` complete its text."""
    return NeutronError(400, type_, BAD_REQUESTS[type_].format_map(values))


def conflict(type_: str, **values: object) -> NeutronError:
    """The error 409 of this type; `values` complete its text."""
    return NeutronError(409, type_, CONFLICTS[type_].format_map(values))


def invalid(message: str) -> NeutronError:
    """An attribute has an invalid value."""
    return bad_request("InvalidInput", problem=message.rstrip("."))


def not_found(kind: str, id_: str) -> NeutronError:
    """There is no such network, subnet, port or agent; `kind` is its name in lower case."""
    name = kind.capitalize()
    return NeutronError(404, f"{name}NotFound", f"{name} {id_} could not be found.")
