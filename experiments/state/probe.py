"""The experiment `state`: what a tunnel sends before the first tenant frame, and keeps after it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from controller.model.names import UNDERLAY
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.measure.captures import capturing, decoded
from experiments.measure.frames import BROADCAST, LOCAL_EXPERIMENT, NONCE, ethernet
from experiments.measure.sockets import listeners, senders, without
from experiments.state import conntrack, look
from experiments.state import labs as stage
from experiments.state import report as words
from topologies.plan.plan import guest_name, switch_port

GUEST = "eth0"
QUIET = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
HEARD_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Makes tunnels anew under a capture, waits, sends one frame, and looks at what is kept."""

    idle_s: float

    def __call__(self, bench: Bench, _: Point, tools: Tools, /) -> Measured:
        """Measure one lab."""
        hosts = bench.overlay.hosts
        for port in bench.overlay.ports:  # nobody speaks but who is told to
            bench.run(guest_name(port), "sysctl", "-qw", *QUIET)
        if not stage.is_tunnelled(bench.overlay):
            return _measured(
                _caught(bench, tools, words.SET_UP, self._idle),
                _caught(bench, tools, words.FIRST, lambda: _said(bench, tools.seed)),
            )
        for host in hosts:
            look.unlearn(bench, host)
        is_tracked = conntrack.wake(bench, hosts[0].name)
        set_up = _caught(bench, tools, words.SET_UP, lambda: self._made_anew(bench))
        before = _kept(bench, is_tracked=is_tracked)
        first = _caught(bench, tools, words.FIRST, lambda: _said(bench, tools.seed))
        after = _kept(bench, is_tracked=is_tracked)
        kept = (*_moment(before, words.BEFORE), *_moment(after, words.AFTER))
        kept_s = {
            "what": words.KEPT_S,
            "moment": words.AFTER,
            "count": look.kept_s(bench, hosts[1]),
        }
        cold = _caught(bench, tools, words.COLD, lambda: _asked(bench, tools.seed))
        if is_tracked:
            conntrack.assert_awake(bench, hosts[0].name, str(hosts[1].local_ip))
        return _measured(set_up, first, cold, (*kept, kept_s))

    def _made_anew(self, bench: Bench) -> None:
        for host in bench.overlay.hosts:
            look.make_anew(bench, host)
        self._idle()

    def _idle(self) -> None:
        time.sleep(self.idle_s)  # for silence there is no condition to wait on


def _measured(*found: tuple[Row, ...]) -> Measured:
    return Measured(rows=tuple(row for rows in found for row in rows))


def _caught(bench: Bench, tools: Tools, moment: str, deed: Callable[[], None]) -> tuple[Row, ...]:
    """What passes the first host's wire meanwhile, seen from the underlay, counted by kind."""
    name = moment.replace(" ", "-")
    with capturing(
        bench, {UNDERLAY: (switch_port(0),)}, lambda file: tools.path(f"{name}-{file}")
    ) as files:
        deed()
    counts = stage.counts(decoded(files, stage.FIELDS))
    return tuple(
        {"what": what, "moment": moment, "count": counts.get(what, 0)} for what in stage.PACKETS
    )


def _said(bench: Bench, seed: int, number: int = 0) -> None:
    """Send one frame to all, and wait until the guests of the other hosts have it."""
    source, *others = (guest_name(port) for port in bench.overlay.ports)
    nonce, frame = _frame(bench, seed, number)
    with listeners({guest: bench.pid(guest) for guest in others}, GUEST, LOCAL_EXPERIMENT) as heard:
        with senders(bench.pid(source), (GUEST,)) as send:
            send[GUEST](frame)
        look.assert_all_heard(without({guest: (heard[guest], nonce) for guest in others}, HEARD_S))


def _asked(bench: Bench, seed: int) -> None:
    """Send a frame though no VTEP's MAC is known, wait until they are, and send another."""
    host = bench.overlay.hosts[0]
    source = guest_name(bench.overlay.ports[0])
    look.forget_neighbours(bench, host)
    with senders(bench.pid(source), (GUEST,)) as send:
        send[GUEST](_frame(bench, seed, 1)[1])
    if host.vxlan_group is None:  # else no VTEP is asked for
        look.await_that(
            lambda: len(look.neighbours(bench, host)) == stage.PEERS, "answers of VTEPs"
        )
    _said(bench, seed, 2)


def _frame(bench: Bench, seed: int, number: int) -> tuple[bytes, bytes]:
    nonce = blake2b(f"{seed}/{number}".encode(), digest_size=NONCE).digest()
    return nonce, ethernet(BROADCAST, bench.overlay.ports[0].mac_address, LOCAL_EXPERIMENT, nonce)


def _kept(bench: Bench, *, is_tracked: bool) -> Mapping[str, int]:
    """What the first host keeps, and what the second has learned."""
    first, second, *_ = bench.overlay.hosts
    entries = conntrack.entries(bench, first.name) if is_tracked else ()
    tracked = {words.CONNTRACK: conntrack.of_tunnels(entries)} if is_tracked else {}
    return {
        **look.kept(bench, first),
        **tracked,
        words.LEARNED: len(look.learned(bench, second)),
    }


def _moment(kept: Mapping[str, int], moment: str) -> Iterator[Row]:
    return ({"what": what, "moment": moment, "count": count} for what, count in kept.items())


STATE = Experiment(
    question=Question(
        name="state",
        asks="What does a tunnel send before the first tenant frame, and what is kept after it?",
        unit="packets or entries",
        value="count",
        factors={
            "mode": (
                "gre-mesh",
                "vxlan-mesh",
                "geneve-mesh",
                "vxlan-l2pop",
                "kvxlan-mesh",
                "kvxlan-multicast",
            )
        },
        teller="state",
        predictions=(
            Prediction(
                says="no tunnel packet before the first tenant frame, GRE as VXLAN as Geneve: a "
                "tunnel is set up by writing down its far end",
                because="GRE has no handshake (RFC 2784), nor has VXLAN (RFC 7348); a port is the "
                "sender's own note",
                of=words.TUNNEL,
            ),
            Prediction(
                says="nothing else on the wire but ARP, for each VTEP whose MAC is unknown, "
                "whatever the encapsulation; and IGMP, only where a multicast group is joined",
                because="the outer packet needs a target MAC as any IP packet on Ethernet does; a "
                "switch that snoops must hear who wants the group (RFC 4541)",
                of=words.BESIDE,
            ),
            Prediction(
                says="kept alike: per peer a tunnel port and a neighbour, per guest heard a learned "
                "entry (300 s); no socket, and no conntrack entry even where a rule asks for one; in "
                "the kernel one UDP socket for all peers, a device for each network, and a conntrack "
                "entry for each far end that was sent to",
                because="user-space OVS finds tunnels by rules of its own, not by sockets, and sends "
                "past netfilter; neither protocol has a connection, but conntrack makes one of any "
                "packets that the kernel sends",
                of=words.KEPT,
            ),
        ),
        columns={
            "mode": "how the overlay is carried",
            "what": "what is counted: packets on the first host's wire by what is outermost; things "
            "that stand on the first host; tunnel ports are br-tun's, devices the kernel's; "
            "conntrack's (a rule there asks for it) are those of tunnels; IGMP: reports and queries; "
            "VTEP neighbours: told by the lab, until forgotten; `learned`: on the second",
            "moment": "set up and idle: all tunnel ports taken away and made anew, then silence; first "
            "frame: one broadcast of a guest; VTEPs unknown: two more after the first host forgot "
            "all VTEPs' MACs; before, after: the first frame",
            "count": "how many; of `kept for`: seconds",
        },
    ),
    probe=State(idle_s=5.0),
    quick=State(idle_s=1.0),
    thresholds=Thresholds(lost_upcalls_max=0, blocks_min=1),
    blocks=2,
    quick_factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh")},
    narrow=stage.speaking_ipv4,
    stage=stage.staged,
    foretell=stage.foretold,
)
