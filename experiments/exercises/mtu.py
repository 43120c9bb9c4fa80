"""Exercise 2: a WAN that drops large packets, and guests that must send smaller ones."""

from collections.abc import Iterator, Mapping

from controller.model.encap import NetworkType, network_mtu
from controller.model.errors import LabError
from experiments.exercises.exercise import EXERCISES, Finding, answered
from experiments.exercises.reading import Ping, answered_pings, mtu_of
from topologies.lab.lab import Lab
from topologies.plan.plan import guests

EXERCISE = EXERCISES["mtu"]
PROVIDER_MTU = 1400  # bytes, as docs/course/mtu.sh sets it
PROVIDERS = {  # bytes, by node and interface
    ("transit1", "transit2"): PROVIDER_MTU,
    ("transit2", "transit1"): PROVIDER_MTU,
    ("edge1", "host1"): 1500,
    ("edge1", "transit1"): 1500,
    ("transit1", "edge1"): 1500,
    ("transit2", "edge2"): 1500,
    ("edge2", "transit2"): 1500,
    ("edge2", "host2"): 1500,
}
LARGEST = network_mtu(NetworkType.VXLAN, PROVIDER_MTU)


def check(lab: Lab, answers: Mapping[str, int]) -> Iterator[Finding]:
    """The provider's links must be as they were: only the servers may change."""
    for (node, interface), mtu in PROVIDERS.items():
        if mtu_of(lab, node, interface) != mtu:
            found = (
                f"the provider's link from {node} to {interface} does not have the MTU of step 2."
            )
            script = f"Run `sudo sh docs/course/mtu.sh {lab.name}`."
            look = script if mtu == PROVIDER_MTU else f"Set it to {mtu} bytes again."
            yield Finding(False, found, f"{look} The link is not yours to change.")
    look = "is not right. Try `ping -M do -s SIZE`: an IP packet has 28 bytes more than SIZE."
    yield answered(EXERCISE, "largest", answers, LARGEST, look)
    address = {name: str(port.fixed_ips[0]) for name, (port, *_) in guests(lab.overlay).items()}
    for one, other in (("a", "b"), ("b", "a")):
        yield _way(lab, one, other, address[other])


def _way(lab: Lab, one: str, other: str, address: str) -> Finding:
    """Whether the largest packets of `one` reach `other`, and are as large as they can be."""
    mtu = _guest_mtu(lab, one)
    small, full = Ping(one, address), Ping(one, address, mtu)
    replies = answered_pings(lab, (small, full))
    if not replies[small]:
        look = f"`overlaylab status {lab.name}` shows what is wrong in the lab."
        return Finding(False, f"{one} gets no answer from {other}, even to small packets.", look)
    if not replies[full]:
        return Finding(
            False,
            f"{one} sends packets of up to {mtu} bytes, and those get no answer from {other}.",
            f"Small ones do. Look at the MTU of {one} and at what the path carries.",
        )
    if mtu < LARGEST:
        return Finding(
            False,
            f"{one} sends packets of up to {mtu} bytes only; larger ones would reach {other} too.",
            "Each packet costs 50 bytes of outer headers: use the largest MTU that fits.",
        )
    return Finding(True, f"packets of {mtu} bytes, the MTU of {one}, reach {other}")


def _guest_mtu(lab: Lab, guest: str) -> int:
    mtu = mtu_of(lab, guest, "eth0")
    if mtu < 68:  # RFC 791: every IPv4 link carries that
        raise LabError(
            f"the MTU of eth0 is {mtu}",
            where=f"server {guest!r} of lab {lab.name!r}",
            allowed="68 bytes or more",
            do="Set it with `ip link set eth0 mtu N`.",
        )
    return mtu
