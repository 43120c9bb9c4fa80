"""What is raised for the experiment `mactable`, who speaks there, and what theory foretells.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from controller.model.modes import Flooding, parse_mode
from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from experiments.core.groups import grouped
from experiments.core.question import Point, Row
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, NONCE, ethernet

ROOM = 128  # entries of a table that is made small, to be filled with hundreds of guests
# Guests that speak, and the entries that the table has room for; 0: as many as there are.
STEPS = (
    (16, 0),
    (128, 0),
    (1024, 0),
    (64, ROOM),
    (128, ROOM),
    (192, ROOM),
    (256, ROOM),
    (512, ROOM),
)
GUEST_MAC = "06:6d:61:{:02x}:{:02x}:{:02x}"  # locally administered: host, number
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Guest:
    """An address that speaks: to the network a guest, whoever sends its frames."""

    host: int  # from 0
    number: int  # on its host, from 0

    @property
    def mac(self) -> str:
        """Its address."""
        return GUEST_MAC.format(self.host, self.number >> 8, self.number & 255)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that is known again by its nonce."""

    source: Guest
    nonce: bytes
    data: bytes


def staged(overlay: Overlay, point: Point) -> Overlay:
    """One network with an interface on every host that may send from any address."""
    everyone = tuple(range(int(point["hosts"])))
    return grouped(overlay, point, (everyone,), port_security=False)


def speakers(hosts: int, guests: int) -> tuple[tuple[Guest, ...], ...]:
    """Guests by host, as evenly as they go, the first host's first."""
    return tuple(
        tuple(Guest(host, number) for number in range(len(range(host, guests, hosts))))
        for host in range(hosts)
    )


def announcement(guest: Guest, seed: int, step: int) -> Frame:
    """A broadcast from a guest: what every switch learns it by."""
    nonce = _nonce(seed, step, "all", guest.mac)
    return Frame(guest, nonce, ethernet(BROADCAST, guest.mac, LOCAL_EXPERIMENT, nonce))


def letters(hosts: int, guests: int, step: int, seed: int) -> dict[Guest, Frame]:
    """A frame from the first guest to each that is on another host, by its target."""
    (sender, *_), *others = speakers(hosts, guests)
    return {
        target: _letter(sender, target, _nonce(seed, step, "one", target.mac))
        for there in others
        for target in there
    }


def _letter(sender: Guest, target: Guest, nonce: bytes) -> Frame:
    return Frame(sender, nonce, ethernet(target.mac, sender.mac, LOCAL_EXPERIMENT, nonce))


def _nonce(seed: int, step: int, kind: str, mac: str) -> bytes:
    return blake2b(f"{seed}/{step}/{kind}/{mac}".encode(), digest_size=NONCE).digest()


def owners(overlay: Overlay, macs: frozenset[str]) -> dict[str, int]:
    """Whose the learned addresses are."""
    vteps = {underlay_mac(host.local_ip) for host in overlay.hosts}
    guests = {mac for mac in macs if mac.startswith(GUEST_MAC[:8])}
    return {
        "of_guests": len(guests),
        "of_vteps": len(macs & vteps),
        "of_others": len(macs - vteps - guests),
    }


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Every cell, before any is measured."""
    return tuple(
        {**point, "room": room, "guests": guests, **_cell(point, guests, room)}
        for point in points
        for guests, room in STEPS
    )


def _cell(point: Point, guests: int, room: int) -> Row:
    hosts = int(point["hosts"])
    away = guests - len(speakers(hosts, guests)[0])
    mode = str(point["mode"])
    speaking = hosts if is_tunnelled(mode) else guests
    learned = min(speaking, room) if room else speaking
    unknown = away if _is_untold(mode) else _unknown(hosts, guests, room, mode)
    misdelivered = unknown * (hosts - 2)
    return {"learned": learned, "sent": away, "arrived": away, "astray": misdelivered}


def is_tunnelled(mode: str) -> bool:
    """True if the underlay's switch sees VTEPs, not guests."""
    wanted = parse_mode(mode).network_type
    return wanted is None or wanted.is_tunnel


def _is_untold(mode: str) -> bool:
    """True if a host's own device learns nothing, and so sends what nobody told it of to every VTEP.

    l2population knows Neutron's ports, not these guests; br-tun learns beside it.
    """
    wanted = parse_mode(mode)
    return wanted.is_kernel and wanted.flooding is Flooding.L2POP


def _unknown(hosts: int, guests: int, room: int, mode: str) -> int:
    """Guests on other hosts than the first that the table has no entry of; hosts speak in turn."""
    if not room or is_tunnelled(mode):
        return 0
    own, *others = map(len, speakers(hosts, guests))
    return sum(others) - min(sum(others), max(0, room - own))


def in_turn(things: tuple[Thing, ...], many: int) -> Iterator[tuple[Thing, ...]]:
    """So many at a time."""
    return (things[at : at + many] for at in range(0, len(things), many))
