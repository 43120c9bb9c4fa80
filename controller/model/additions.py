"""One more host or server of an overlay: what is not given is derived as in a scenario.  Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from itertools import count

from controller.model.addresses import (
    is_usable,
    one_of_each_version,
    taken_addresses,
    unusable,
)
from controller.model.check import HOSTS_MAX, name_errors
from controller.model.errors import ModelError, raise_all
from controller.model.names import derived_mac, server_port_id
from controller.model.near import did_you_mean
from controller.model.overlay import Overlay
from controller.model.parts import Address, Host, Network, Port

VTEP_PREFIX = {4: 24, 6: 64}  # of the underlay's network, if it is a switch


def new_host(overlay: Overlay, name: str, *, local_ip: str = "", like: str = "") -> Host:
    """A host that can be added to `overlay`.

    Args:
        local_ip: its VTEP's address; by default the next free one.
        like: the host whose agent options it gets; by default the last one.

    Raises:
        ModelError: the overlay cannot have it.
    """
    where = f"host {name!r}"
    _assert_name(overlay, name, where)
    if len(overlay.hosts) >= HOSTS_MAX:
        raise ModelError(
            f"one more than {len(overlay.hosts)} hosts",
            where=where,
            allowed=f"up to {HOSTS_MAX}",
            do="Remove another one first.",
        )
    address = parse_address(local_ip, where, "local_ip") if local_ip else next_vtep(overlay)
    for other in overlay.hosts:
        if other.local_ip == address:
            raise ModelError(
                f"local_ip {local_ip} is that of host {other.name!r}",
                where=where,
                allowed="an address that no other host has",
                do="Leave it out to get the next free one.",
            )
    model = overlay.host(like) if like else overlay.hosts[-1]
    made = replace(
        model,
        name=name,
        local_ip=address,
        written_ip="" if local_ip in {"", str(address)} else local_ip,
    )
    replace(overlay, hosts=(*overlay.hosts, made))  # the model's own checks
    return made


def next_vtep(overlay: Overlay) -> Address:
    """The address after the highest VTEP's in its /24 (IPv6: /64); if none is left, the first free.

    Raises:
        ModelError: none is free.
    """
    taken = {host.local_ip for host in overlay.hosts}
    highest = max(taken, key=int)
    network = ip_network((highest, VTEP_PREFIX[highest.version]), strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    for numbers in (range(int(highest) + 1, last + 1), range(first, int(highest))):
        for number in numbers:
            address = type(highest)(number)
            if address not in taken and is_usable(address, network) and not unusable(address):
                return address
    raise ModelError(
        f"no free address for another VTEP in {network}",
        where=f"overlay {overlay.name!r}",
        allowed="an address that no other host has",
        do="Give the new host a local_ip of another network.",
    )


def new_server(
    overlay: Overlay,
    name: str,
    *,
    host: str,
    network: str,
    fixed_ips: Iterable[str] = (),
    mac_address: str = "",
) -> Port:
    """The port of a server that can be added to `overlay`.

    Args:
        network: its name or its id.
        fixed_ips: its addresses; by default the first free one of each IP version of the network.
        mac_address: by default made from the server's name.

    Raises:
        ModelError: the overlay cannot have it.
    """
    where = f"server {name!r}"
    _assert_name(overlay, name, where)
    on_host, in_network = overlay.host(host), named_network(overlay, network)
    given = tuple(parse_address(text, where, "address") for text in fixed_ips)
    _assert_free(overlay, in_network, given, mac_address.lower(), where)
    ids = (server_port_id(overlay.name, name, turn=turn) for turn in count())
    macs = {port.mac_address for port in overlay.ports if port.network_id == in_network.id}
    id_ = next(
        each for each in ids if each not in overlay.port_of and derived_mac(each) not in macs
    )
    made = Port(
        id=id_,
        name=name,
        network_id=in_network.id,
        mac_address=mac_address.lower() or derived_mac(id_),
        fixed_ips=given or tuple(_first_free(overlay, in_network, where)),
        host=on_host.name,
        device_id=name,
    )
    replace(overlay, ports=(*overlay.ports, made))  # the model's own checks
    return made


def named_network(overlay: Overlay, network: str) -> Network:
    """The network with this name, or with this id.

    Raises:
        ModelError: there is none; the message lists all.
    """
    found = next((each for each in overlay.networks if network in {each.name, each.id}), None)
    if found is None:
        names = [each.name or each.id for each in overlay.networks]
        raise ModelError(
            f"network {network!r}",
            where=f"overlay {overlay.name!r}",
            allowed=", ".join(names) or "none (it has no network)",
            do=did_you_mean(network, names, "Name one of them."),
        )
    return found


def parse_address(text: str, where: str, what: str) -> Address:
    """The IP address in `text`.

    Raises:
        ModelError: it is none.
    """
    try:
        return ip_address(text)
    except ValueError:
        raise ModelError(
            f"{what} {text!r}",
            where=where,
            allowed="an IPv4 or IPv6 address",
            do="Write it like 192.0.2.7, or leave it out.",
        ) from None


def _assert_name(overlay: Overlay, name: str, where: str) -> None:
    raise_all(name_errors(name, where=where))
    is_server = any(port.device_id == name for port in overlay.ports)
    if is_server or name in overlay.host_of:
        raise ModelError(
            f"there is a {'server' if is_server else 'host'} with this name",
            where=where,
            allowed="a name that no host and no server has",
            do="Give it another name, or remove that one first.",
        )


def _assert_free(
    overlay: Overlay, network: Network, wanted: Iterable[Address], mac: str, where: str
) -> None:
    """Check that no other port of the network has one of the addresses, or the MAC."""
    others = [port for port in overlay.ports if port.network_id == network.id]
    for port in others:
        owner = port.device_id or port.name or port.id
        found = [f"address {ip}" for ip in wanted if ip in port.fixed_ips]
        found += [f"MAC {mac}"] if mac == port.mac_address else []
        for each in found:
            raise ModelError(
                f"{each} is that of {owner!r}",
                where=where,
                allowed=f"one that nobody else on network {network.name!r} has",
                do="Leave it out to get a free one.",
            )


def _first_free(overlay: Overlay, network: Network, where: str) -> Iterator[Address]:
    """One address of each IP version of the network."""
    taken, subnets = taken_addresses(overlay, network.id), overlay.subnets_of.get(network.id, ())
    for version, address in one_of_each_version(subnets, taken).items():
        if address is None:
            cidrs = ", ".join(str(each.cidr) for each in subnets if each.cidr.version == version)
            raise ModelError(
                f"no free IPv{version} address on network {network.name!r}",
                where=where,
                allowed=f"an address of the allocation pools of {cidrs} that no server has",
                do="Give it an address of the subnet outside the pools, or remove a server.",
            )
        yield address
