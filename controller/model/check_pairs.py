"""The rules for the allowed address pairs of ports.  Pure; called by `check`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from controller.model.check_addresses import is_unicast_mac
from controller.model.errors import ModelError
from controller.model.parts import Port

PAIRS_MAX = 10  # Neutron's `max_allowed_address_pair`


def pair_errors(port: Port, where: str) -> Iterator[ModelError]:
    """Pairs that Neutron refuses, or that match no valid source of a frame.

    Source: neutron_lib/api/validators/allowedaddresspairs.py.
    """
    pairs = port.allowed_address_pairs
    if pairs and not port.port_security_enabled:
        yield ModelError(
            "allowed_address_pairs without port security",
            where=where,
            allowed="one of the two: such a port may use every address",
            do="Remove the pairs, or `port_security_enabled: false`.",
            neutron=("AddressPairAndPortSecurityRequired", {}),
        )
    if len(pairs) > PAIRS_MAX:
        yield ModelError(
            f"{len(pairs)} allowed_address_pairs",
            where=where,
            allowed=f"up to {PAIRS_MAX}, Neutron's max_allowed_address_pair",
            do="Join some of them into a subnet, such as 10.0.0.0/28.",
            neutron=("AllowedAddressPairExhausted", {"quota": PAIRS_MAX}),
        )
    used = [replace(pair, mac_address=pair.mac_address or port.mac_address) for pair in pairs]
    for pair, count in Counter(used).items():
        mac, shown = pair.mac_address, f"allowed_address_pairs {pair.text} {pair.mac_address}"
        if count > 1:
            yield ModelError(
                f"{shown} is given {count} times",
                where=where,
                allowed="each pair once",
                do="Remove the others.",
                neutron=("DuplicateAddressPairInRequest", {"mac": mac, "ip": pair.text}),
            )
        if pair.ip_address.is_multicast:
            yield ModelError(
                shown,
                where=where,
                allowed="a unicast address or subnet",
                do="Remove it: multicast is never a source address.",
            )
        if getattr(pair.ip_address.network_address, "scope_id", None):
            yield ModelError(
                shown,
                where=where,
                allowed="an address, or a subnet, without a zone (RFC 4007)",
                do="Remove `%` and what follows.",
            )
        if mac != port.mac_address and not is_unicast_mac(mac):
            yield ModelError(
                f"{shown}: the MAC",
                where=where,
                allowed="six lower-case octets, the first even (unicast), not all zero",
                do="Write it like 00:00:5e:00:01:01, or leave it out for the port's own.",
            )
