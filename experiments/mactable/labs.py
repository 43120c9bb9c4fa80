"""The labs of `mactable`, the guests that send there, and what theory predicts.  Pure."""

from dataclasses import dataclass

from controller.model.modes import Flooding, parse_mode
from controller.model.names import underlay_mac
from controller.model.overlay import Overlay
from experiments.core.groups import grouped
from experiments.core.question import Point, Row
from experiments.mactable.words import MISDELIVERED
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, ethernet, nonce_of

ROOM = 128  # entries of a small table, which some hundred guests fill
# Guests that send, and the entries that the table has room for; 0: no limit.
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


@dataclass(frozen=True, slots=True)
class Guest:
    """A MAC address that sends frames; one interface on each host sends for all of them."""

    host: int  # from 0
    number: int  # on its host, from 0

    @property
    def mac(self) -> str:
        """Its address."""
        return GUEST_MAC.format(self.host, self.number >> 8, self.number & 255)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame with a nonce that identifies it."""

    sender: Guest
    receiver: int  # the host, from 0, at which it is awaited
    nonce: bytes
    data: bytes


def staged(overlay: Overlay, point: Point) -> Overlay:
    """One network with an interface on every host, which may send from any address."""
    everyone = tuple(range(int(point["hosts"])))
    return grouped(overlay, point, {0: everyone}, port_security=False)


def guests_by_host(hosts: int, guests: int) -> tuple[tuple[Guest, ...], ...]:
    """Guests spread evenly over hosts; the first hosts have one more if there is a remainder."""
    return tuple(
        tuple(Guest(host, number) for number in range(len(range(host, guests, hosts))))
        for host in range(hosts)
    )


def announcement(guest: Guest, seed: int, step: int) -> Frame:
    """A broadcast from a guest, from which every switch learns its address."""
    nonce = nonce_of(seed, step, "all", guest.mac)
    data = ethernet(BROADCAST, guest.mac, LOCAL_EXPERIMENT, nonce)
    return Frame(guest, 0 if guest.host else 1, nonce, data)


def unicast_frames(hosts: int, guests: int, step: int, seed: int) -> tuple[Frame, ...]:
    """A frame from the first guest to each guest on another host."""
    (sender, *_), *others = guests_by_host(hosts, guests)
    targets = ((to, nonce_of(seed, step, "one", to.mac)) for there in others for to in there)
    return tuple(
        Frame(sender, to.host, nonce, ethernet(to.mac, sender.mac, LOCAL_EXPERIMENT, nonce))
        for to, nonce in targets
    )


def owners(overlay: Overlay, macs: frozenset[str]) -> dict[str, int]:
    """How many of the learned addresses are guests', VTEPs' and others'."""
    vteps = {underlay_mac(host.local_ip) for host in overlay.hosts}
    guests = {mac for mac in macs if mac.startswith(GUEST_MAC[:8])}
    return {
        "of_guests": len(guests),
        "of_vteps": len(macs & vteps),
        "of_others": len(macs - vteps - guests),
    }


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted figures of every cell."""
    return tuple(
        {**point, "room": room, "guests": guests, **_cell(point, guests, room)}
        for point in points
        for guests, room in STEPS
    )


def _cell(point: Point, guests: int, room: int) -> Row:
    hosts, mode = int(point["hosts"]), str(point["mode"])
    remote = guests - len(guests_by_host(hosts, guests)[0])
    senders = hosts if is_tunnelled(mode) else guests
    return {
        "learned": min(senders, room) if room else senders,
        "sent": remote,
        "arrived": remote,
        MISDELIVERED: _unknown(hosts, guests, room, mode) * (hosts - 2),
    }


def is_tunnelled(mode: str) -> bool:
    """True if the underlay's switch sees the addresses of VTEPs, not of guests."""
    wanted = parse_mode(mode).network_type
    return wanted is None or wanted.is_tunnel


def _unknown(hosts: int, guests: int, room: int, mode: str) -> int:
    """Guests on remote hosts for which frames are flooded; the hosts send one after the other."""
    own, *others = map(len, guests_by_host(hosts, guests))
    wanted = parse_mode(mode)
    if wanted.is_kernel and wanted.flooding is Flooding.L2POP:
        return sum(others)  # its devices learn nothing, and Neutron does not know these guests
    if not room or is_tunnelled(mode):
        return 0
    return max(0, sum(others) - max(0, room - own))
