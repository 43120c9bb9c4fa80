"""The experiment `state`: what a tunnel sends before the first tenant frame, and keeps after it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from controller.model.names import UNDERLAY
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, NONCE, ethernet
from experiments.measure.learned import learned_entries
from experiments.measure.sockets import listeners, senders, without
from experiments.state import conntrack, look
from experiments.state import labs as stage
from experiments.state import report as words
from experiments.state.question import QUESTION
from topologies.plan.plan import guest_name, switch_port

GUEST = "eth0"
QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
HEARD_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Makes tunnels anew under a capture, waits, sends one frame, and looks at what is kept."""

    idle_s: float

    def __call__(self, lab: Lab, _: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        hosts = lab.overlay.hosts
        for port in lab.overlay.ports:  # nobody speaks but who is told to
            lab.run(guest_name(port), "sysctl", "-qw", *QUIET)
        if not stage.is_tunnelled(lab.overlay):
            return _measured(
                _caught(lab, context, words.SET_UP, self._idle),
                _caught(lab, context, words.FIRST, lambda: _said(lab, context.seed)),
            )
        for host in hosts:
            look.unlearn(lab, host)
        is_tracked = conntrack.wake(lab, hosts[0].name)
        set_up = _caught(lab, context, words.SET_UP, lambda: self._made_anew(lab))
        before = _kept(lab, is_tracked=is_tracked)
        first = _caught(lab, context, words.FIRST, lambda: _said(lab, context.seed))
        after = _kept(lab, is_tracked=is_tracked)
        kept = (*_moment(before, words.BEFORE), *_moment(after, words.AFTER))
        kept_s = {
            "what": words.KEPT_S,
            "moment": words.AFTER,
            "count": look.kept_s(lab, hosts[1]),
        }
        cold = _caught(lab, context, words.COLD, lambda: _asked(lab, context.seed))
        if is_tracked:
            conntrack.assert_awake(lab, hosts[0].name, str(hosts[1].local_ip))
        return _measured(set_up, first, cold, (*kept, kept_s))

    def _made_anew(self, lab: Lab) -> None:
        for host in lab.overlay.hosts:
            look.make_anew(lab, host)
        self._idle()

    def _idle(self) -> None:
        time.sleep(self.idle_s)  # for silence there is no condition to wait on


def _measured(*found: tuple[Row, ...]) -> Measured:
    return Measured(rows=tuple(row for rows in found for row in rows))


def _caught(lab: Lab, context: Context, moment: str, deed: Callable[[], None]) -> tuple[Row, ...]:
    """What passes the first host's wire meanwhile, seen from the underlay, counted by kind."""
    name = moment.replace(" ", "-")
    with capturing(
        lab, {UNDERLAY: (switch_port(0),)}, lambda file: context.path(f"{name}-{file}")
    ) as files:
        deed()
    counts = stage.counts(decoded(files, stage.FIELDS))
    return tuple(
        {"what": what, "moment": moment, "count": counts.get(what, 0)} for what in stage.PACKETS
    )


def _said(lab: Lab, seed: int, number: int = 0) -> None:
    """Send one frame to all, and wait until the guests of the other hosts have it."""
    source, *others = (guest_name(port) for port in lab.overlay.ports)
    nonce, frame = _frame(lab, seed, number)
    with listeners({guest: lab.pid(guest) for guest in others}, GUEST, LOCAL_EXPERIMENT) as heard:
        with senders(lab.pid(source), (GUEST,)) as send:
            send[GUEST](frame)
        look.assert_all_heard(without({guest: (heard[guest], nonce) for guest in others}, HEARD_S))


def _asked(lab: Lab, seed: int) -> None:
    """Send a frame though no VTEP's MAC is known, wait until they are, and send another."""
    host = lab.overlay.hosts[0]
    source = guest_name(lab.overlay.ports[0])
    look.forget_neighbours(lab, host)
    with senders(lab.pid(source), (GUEST,)) as send:
        send[GUEST](_frame(lab, seed, 1)[1])
    if host.vxlan_group is None:  # else no VTEP is asked for
        look.await_that(lambda: len(look.neighbours(lab, host)) == stage.PEERS, "answers of VTEPs")
    _said(lab, seed, 2)


def _frame(lab: Lab, seed: int, number: int) -> tuple[bytes, bytes]:
    nonce = blake2b(f"{seed}/{number}".encode(), digest_size=NONCE).digest()
    return nonce, ethernet(BROADCAST, lab.overlay.ports[0].mac_address, LOCAL_EXPERIMENT, nonce)


def _kept(lab: Lab, *, is_tracked: bool) -> Mapping[str, int]:
    """What the first host keeps, and what the second has learned."""
    first, second, *_ = lab.overlay.hosts
    entries = conntrack.entries(lab, first.name) if is_tracked else ()
    tracked = {words.CONNTRACK: conntrack.of_tunnels(entries)} if is_tracked else {}
    return {
        **look.kept(lab, first),
        **tracked,
        words.LEARNED: len(learned_entries(lab, second)),
    }


def _moment(kept: Mapping[str, int], moment: str) -> Iterator[Row]:
    return ({"what": what, "moment": moment, "count": count} for what, count in kept.items())


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=State(idle_s=5.0),
    quick=State(idle_s=1.0),
    thresholds=Thresholds(lost_upcalls_max=0, repeats_min=1),
    repeats=2,
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh")},
    narrow=stage.speaking_ipv4,
    stage=stage.staged,
    predict=stage.predicted,
)
