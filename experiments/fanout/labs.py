"""The labs of `fanout`, the frames sent there, and what theory predicts.  Pure."""

from dataclasses import dataclass

from controller.model.modes import Flooding, parse_mode
from controller.model.overlay import Overlay
from controller.model.parts import Port
from experiments.core.groups import grouped, network_id
from experiments.core.question import Point, Row
from experiments.fanout.words import KINDS, KNOWN, UNICAST, UNKNOWN
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, arp_request, ethernet, nonce_of

SHARES = (50, 100)  # percent of the hosts that have a guest on the network; one network for each
END = "end of test"  # the last frame on each network: all frames before it have arrived when it has
UNKNOWN_MAC = "06:4e:6f:62:6f:64"  # locally administered; no guest has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame with a nonce that identifies it."""

    share: int  # of the network on which it is sent
    kind: str
    number: int  # of its kind, from 1
    nonce: bytes
    data: bytes


def staged(overlay: Overlay, point: Point) -> Overlay:
    """The number of hosts of the point, a network for each share, and a guest on each member."""
    groups = {share: members(int(point["hosts"]), share) for share in SHARES}
    return grouped(overlay, point, groups, name="s{group}g{guest}")


def members(hosts: int, share: int) -> tuple[int, ...]:
    """The hosts (from 0) that have a guest: spread evenly, always with the first host."""
    count = max(1, -(-hosts * share // 100))
    return tuple(each * hosts // count for each in range(count))


def predicted(_: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """The predicted counts of every cell."""
    rows = []
    for point in points:
        hosts, mode = int(point["hosts"]), str(point["mode"])
        for share in SHARES:
            count = len(members(hosts, share))
            rows += [
                {
                    **point,
                    "share": share,
                    "kind": kind,
                    "members": count,
                    **counts_of(mode, hosts, count, kind),
                }
                for kind in kinds(hosts, share)
            ]
    return tuple(rows)


def kinds(hosts: int, share: int) -> tuple[str, ...]:
    """What can be sent; in a network with one member there is no other address to ask for."""
    return KINDS if len(members(hosts, share)) > 1 else KINDS[1:]


def counts_of(mode: str, hosts: int, members: int, kind: str) -> dict[str, int]:
    """The counts of one frame that one of `members` sends."""
    sent, arrived = _copies(mode, hosts, members - 1, kind)
    return {
        "copies_sent": sent,
        "arrived": arrived,
        "unneeded": max(0, arrived - (members - 1)),
        "delivered": min(arrived, members - 1),
    }


def _copies(mode: str, hosts: int, others: int, kind: str) -> tuple[int, int]:
    """How many copies leave the sender's host, and how many arrive; `others`: further members."""
    wanted = parse_mode(mode)
    if wanted.is_kernel and wanted.flooding is Flooding.MULTICAST:
        return 1, others  # the underlay's switch copies it to the members of the group
    if wanted.is_kernel and wanted.flooding is Flooding.L2POP and kind in {KNOWN, UNKNOWN}:
        return 0, 0  # the ARP proxy answers it or drops it
    if wanted.flooding is Flooding.L2POP_ARP and kind == KNOWN:
        return 0, 0  # the ARP responder answers it
    if wanted.network_type and not wanted.network_type.is_tunnel:
        return 1, hosts - 1  # the underlay's switch makes the copies
    reached = hosts - 1 if wanted.flooding is Flooding.MESH else others
    return reached, reached


def sender(overlay: Overlay, share: int) -> Port:
    """The guest that sends: the one of the first host."""
    return next(overlay.active_ports(network_id(share)))


def receivers(overlay: Overlay, share: int) -> tuple[Port, ...]:
    """The other guests of the network."""
    _, *others = overlay.active_ports(network_id(share))
    return tuple(others)


def frames(overlay: Overlay, each: int, seed: int) -> tuple[Frame, ...]:
    """`each` frames of each kind on each network, in an order drawn from the seed."""
    made = (
        frame(overlay, share, kind, number, seed)
        for share in SHARES
        for kind in kinds(len(overlay.hosts), share)
        for number in range(1, each + 1)
    )
    return tuple(sorted(made, key=lambda frame: frame.nonce))


def frame(overlay: Overlay, share: int, kind: str, number: int, seed: int) -> Frame:
    """One frame from the sender of a network."""
    nonce, source = nonce_of(seed, share, kind, number), sender(overlay, share)
    mac, ip = source.mac_address, source.ipv4[0]
    if kind in {KNOWN, UNKNOWN}:
        # No guest has the address below that of the first guest.
        target = receivers(overlay, share)[-1].ipv4[0] if kind == KNOWN else ip - 1
        data = arp_request(mac, ip, target, trailer=nonce)
    else:
        to = UNKNOWN_MAC if kind == UNICAST else BROADCAST
        data = ethernet(to, mac, LOCAL_EXPERIMENT, nonce)
    return Frame(share=share, kind=kind, number=number, nonce=nonce, data=data)
