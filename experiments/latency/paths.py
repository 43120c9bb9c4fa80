"""Who pings whom, and along which way: the guests across hosts, and the baselines beside them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface

from controller.model.errors import MeasureError
from controller.model.parts import Port
from experiments.core.experiment import Lab
from experiments.core.pairs import beside

GUEST, VETH, SAME_HOST, VTEP = "guest", "veth", "same-host", "vtep"
DIRECT = "direct0"  # the bare veth between the guests, at both ends
# RFC 5737: of no one's network; inside guests only, so a VTEP of that net is not in its way.
DIRECT_NEAR, DIRECT_FAR = IPv4Interface("192.0.2.5/30"), IPv4Interface("192.0.2.6/30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way to ping along."""

    name: str
    node: str  # that pings
    far: str  # the node that answers
    address: str  # of `far`

    @property
    def claim(self) -> str:
        """Who pings whom, for run.json."""
        return f"{self.node} to {self.far} at {self.address}"


def guest_path(pair: tuple[Port, Port]) -> Path:
    """From one guest to the other, through both hosts."""
    source, target = pair
    return Path(
        name=GUEST, node=source.device_id, far=target.device_id, address=str(target.ipv4[0])
    )


def vtep_path(lab: Lab, pair: tuple[Port, Port]) -> Path:
    """From compute host to compute host over br-vtep: the underlay, without guests and br-int."""
    near, far = (port.host for port in pair)
    address = lab.overlay.host(far).local_ip
    return Path(name=VTEP, node=near, far=far, address=str(address))


def same_host_path(lab: Lab, pair: tuple[Port, Port]) -> Path:
    """From the first guest to the one beside it: one br-int, no underlay.

    Raises:
        MeasureError: no guest stands beside it.
    """
    source, other = pair[0], beside(lab.overlay)
    if other is None:
        raise MeasureError(
            f"no guest beside {source.device_id!r}",
            where=f"host {source.host!r}",
            allowed="another guest of the same network there",
            do="Raise what `pairs.with_neighbour` makes of the overlay.",
        )
    return Path(
        name=SAME_HOST, node=source.device_id, far=other.device_id, address=str(other.ipv4[0])
    )


@contextmanager
def veth_path(lab: Lab, pair: tuple[Port, Port]) -> Iterator[Path]:
    """From one guest to the other over a veth pair of their own, with no switch between.

    It is there while the block runs.  No IPv6 on it: it would be busy with itself.
    """
    near, far = (port.device_id for port in pair)
    lab.run(
        near,
        "ip",
        "link",
        "add",
        "name",
        DIRECT,
        "type",
        "veth",
        "peer",
        "name",
        DIRECT,
        "netns",
        str(lab.pid(far)),
    )
    try:
        for node, address in ((near, DIRECT_NEAR), (far, DIRECT_FAR)):
            lab.run(node, "ip", "link", "set", DIRECT, "addrgenmode", "none", "up")
            lab.run(node, "ip", "addr", "add", str(address), "dev", DIRECT)
        yield Path(name=VETH, node=near, far=far, address=str(DIRECT_FAR.ip))
    finally:
        lab.run(near, "ip", "link", "del", DIRECT)
