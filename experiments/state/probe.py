"""The experiment `state`: what tunnels send before the first tenant frame, and the state they keep."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.names import UNDERLAY
from controller.system.waiting import wait_for
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, ethernet, nonce_of
from experiments.measure.learned import learned_entries
from experiments.measure.sockets import receivers, senders, without
from experiments.state import conntrack, host_state, labs, words
from experiments.state.question import QUESTION
from topologies.nodes.keeper import without_ipv6
from topologies.plan.plan import guest_name
from topologies.plan.underlays import host_port

GUEST = "eth0"
ARRIVAL_S = 5.0
REVALIDATED_S = 0.5  # Open vSwitch asks for a VTEP again when it revalidates a megaflow to it


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Creates tunnels again under a capture, waits, sends one frame, and reads the state."""

    idle_s: float

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        first, second, *_others = lab.overlay.hosts
        for port in lab.overlay.ports:  # guests send only what the probe sends
            without_ipv6(lab.pid(guest_name(port)))
        if not labs.is_tunnelled(lab.overlay):
            idle = _captured(lab, context, words.SET_UP, self._idle)
            sent = _captured(lab, context, words.FIRST, lambda: _broadcast(lab, context.seed))
            return Measured(rows=(*idle, *sent))
        for host in lab.overlay.hosts:
            host_state.delete_learned(lab, host)
        is_tracked = conntrack.enable(lab, first.name)
        set_up = _captured(lab, context, words.SET_UP, lambda: self._set_up(lab))
        before = _kept(lab, is_tracked=is_tracked)
        sent = _captured(lab, context, words.FIRST, lambda: _broadcast(lab, context.seed))
        after = {
            **_kept(lab, is_tracked=is_tracked),
            words.LIFETIME_S: host_state.lifetime_s(lab, second),
        }
        waited_s = list[float]()
        unknown = _captured(
            lab,
            context,
            words.UNKNOWN,
            lambda: waited_s.append(_broadcast_to_unknown(lab, context.seed)),
        )
        if is_tracked:
            conntrack.assert_enabled(lab, first.name, str(second.local_ip))
        kept = (*_rows(before, words.BEFORE), *_rows(after, words.AFTER))
        return Measured(
            rows=(*set_up, *sent, *unknown, *kept),
            doubts=tuple(map(_late, filter(is_late, waited_s))),
        )

    def _set_up(self, lab: Lab) -> None:
        for host in lab.overlay.hosts:
            host_state.recreate_tunnels(lab, host)
        self._idle()

    def _idle(self) -> None:
        time.sleep(self.idle_s)  # the idle time itself is measured: no condition to wait for


def _captured(lab: Lab, context: Context, moment: str, act: Callable[[], None]) -> tuple[Row, ...]:
    """Packets by kind on the first host's wire during `act`, captured in the underlay."""
    name = moment.replace(" ", "-")
    with capturing(
        lab, {UNDERLAY: (host_port(0),)}, lambda file: context.path(f"{name}-{file}")
    ) as files:
        act()
    counts = labs.counts(decoded(files, labs.FIELDS))
    return tuple(_rows({what: counts.get(what, 0) for what in labs.PACKETS}, moment))


def _rows(counts: Mapping[str, int | None], moment: str) -> Iterator[Row]:
    return ({"what": what, "moment": moment, "count": count} for what, count in counts.items())


def _broadcast(lab: Lab, seed: int, number: int = 0) -> None:
    """Send one broadcast and wait until the guests of the other hosts have received it.

    Raises:
        MeasureError: a guest did not receive it, so counts of other packets prove nothing.
    """
    source, *others = (guest_name(port) for port in lab.overlay.ports)
    nonce, frame = _frame(lab, seed, number)
    with receivers({guest: lab.pid(guest) for guest in others}, GUEST, LOCAL_EXPERIMENT) as sockets:
        with senders(lab.pid(source), (GUEST,)) as send:
            send[GUEST](frame)
        missing = without({guest: (sockets[guest], nonce) for guest in others}, ARRIVAL_S)
    if missing:
        raise MeasureError(
            f"no frame at {', '.join(missing)}",
            where="a broadcast on the tenant network",
            allowed="a frame that every guest receives",
            do="Look at br-tun of their hosts.",
        )


def is_late(waited_s: float) -> bool:
    """True if the switch may have asked for a VTEP more than once meanwhile."""
    return waited_s > REVALIDATED_S


def _late(waited_s: float) -> str:
    return f"VTEPs answered ARP after {waited_s:.1f} s; wanted within {REVALIDATED_S:g} s"


def _broadcast_to_unknown(lab: Lab, seed: int) -> float:
    """Delete all VTEP neighbours, send a broadcast, wait for the neighbours, and send another.

    Returns the seconds for which it waited.
    """
    host = lab.overlay.hosts[0]
    source = guest_name(lab.overlay.ports[0])
    host_state.delete_neighbours(lab, host)
    with senders(lab.pid(source), (GUEST,)) as send:
        send[GUEST](_frame(lab, seed, 1)[1])
    begun = time.monotonic()
    if host.vxlan_group is None:  # a multicast group needs no ARP
        wait_for(
            lambda: len(host_state.neighbours(lab, host)) == labs.PEERS,
            host_state.TIMEOUT_S,
            what="ARP replies of all VTEPs",
        )
    waited_s = time.monotonic() - begun
    _broadcast(lab, seed, 2)
    return waited_s


def _frame(lab: Lab, seed: int, number: int) -> tuple[bytes, bytes]:
    nonce = nonce_of(seed, number)
    return nonce, ethernet(BROADCAST, lab.overlay.ports[0].mac_address, LOCAL_EXPERIMENT, nonce)


def _kept(lab: Lab, *, is_tracked: bool) -> dict[str, int]:
    """The state of the first host, and what the second has learned."""
    first, second, *_ = lab.overlay.hosts
    counts = host_state.kept(lab, first)
    if is_tracked:
        counts[words.CONNTRACK] = conntrack.tunnel_entries(conntrack.entries(lab, first.name))
    return {**counts, words.LEARNED: len(learned_entries(lab, second))}


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=State(idle_s=5.0),
    quick=State(idle_s=1.0),
    thresholds=Thresholds(lost_upcalls_max=0, repeats_min=1),
    repeats=2,
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh")},
    narrow=labs.with_ipv4_vteps,
    stage=labs.staged,
    predict=labs.predicted,
)
