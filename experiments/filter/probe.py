"""The experiment `filter`: what a firewall between two VTEPs can tell apart, and at what cost."""

from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from controller.model.errors import MeasureError
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.filter import labs as stage
from experiments.filter.cost import costs
from experiments.filter.path import FIREWALL, NEAR, Counted, Path, Way, install, lay_sinks, opened
from experiments.filter.question import QUESTION

CONNTRACK_FILE = "/proc/net/nf_conntrack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Puts one ruleset after the other into a router, and sees what still comes through."""

    rounds: int  # of the batches that the cost is made from

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        with ExitStack() as stack:
            lay_sinks(lab)
            path = opened(lab, stack)
            rows, frame = _blocked(path, point, context)
            rows += _tracked(path, point, context)
            rows += _masqueraded(path, point)
            with context.watch():  # what is timed; packets are counted, however long they take
                took = tuple(costs(lab, point, frame, self.rounds, Random(context.seed)))
        return Measured(rows=tuple(rows), more={"cost": took})


def _blocked(path: Path, point: Point, context: Context) -> tuple[list[Row], bytes]:
    """Each rule, and which flows it stops; also a frame as the firewall gets it."""
    lab, kind, rows = path.lab, stage.network_type(point), list[Row]()
    install(lab, "nft", stage.ruleset(stage.NONE, lab.overlay, point, 0)[1])
    first = path.through(Way.of("red"), stage.NAMED_PORT)
    outer_port = _outer_port(first)
    for rule in stage.blocking(kind):
        program, text = stage.ruleset(rule, lab.overlay, point, outer_port)
        install(lab, program, text)
        context.keep(f"rules-{rule.replace(', ', '-').replace(' ', '-')}.txt", text)
        flows = {
            stage.RED_ONE: path.through(Way.of("red"), stage.NAMED_PORT),
            stage.RED_OTHER: path.through(Way.of("red"), stage.OTHER_PORT),
            stage.BLUE_ONE: path.through(Way.of("blue"), stage.NAMED_PORT),
        }
        rows += [
            _row(rule, what, Way.of(what[:4].strip(",")), found) for what, found in flows.items()
        ]
    return rows, first.frame


def _row(rule: str, what: str, way: Way, found: Counted) -> Row:
    into, out, guest = (found.at(place) for place in way.places)
    return {"rule": rule, "what": what, "count": guest, "forwarded": out, "offered": into}


def _outer_port(found: Counted) -> int:
    """The outer UDP source port of a flow's packets; 0 for GRE.

    Raises:
        MeasureError: nothing came as far as the firewall.
    """
    seen = [packet.outer_port for packet in found.packets.get(Way.of("red").places[0], ())]
    if not seen:
        raise MeasureError(
            "no packet of the first flow",
            where=f"{NEAR} of {FIREWALL}",
            allowed="all of them, before there is a rule",
            do="See whether the guests ping each other.",
        )
    return seen[0] or 0


def _tracked(path: Path, point: Point, context: Context) -> list[Row]:
    """What conntrack makes of red's flows, there and back."""
    lab = path.lab
    install(lab, *stage.ruleset(stage.CONNTRACK, lab.overlay, point, 0))
    ports = set[int]()
    for number in range(stage.FLOWS):
        for way, is_back in ((Way.of("red"), False), (Way.back("red"), True)):
            found = path.through(way, stage.FIRST_PORT + number, is_back=is_back, copies=2)
            ports |= {packet.outer_port or 0 for packet in found.packets.get(way.places[0], ())}
    table = lab.run(FIREWALL, "cat", CONNTRACK_FILE)
    context.keep("conntrack.txt", table)
    ours = [line for line in table.splitlines() if _is_ours(line, ports)]
    replied = sum("[UNREPLIED]" not in line for line in ours)
    return [
        {"rule": stage.CONNTRACK, "what": stage.ENTRIES, "count": len(ours)},
        {"rule": stage.CONNTRACK, "what": stage.REPLIED, "count": replied},
    ]


def _is_ours(line: str, ports: set[int]) -> bool:
    """An entry of GRE, or of one of our outer UDP flows."""
    words = line.split()
    is_tunnel = words[2] == "gre" or any(f"sport={port}" in words for port in ports - {0})
    return is_tunnel and f"zone={stage.TRACKED}" in words


def _masqueraded(path: Path, point: Point) -> list[Row]:
    """The near VTEP behind the firewall's address: what comes through there, and then back."""
    lab, there, back = path.lab, Way.of("red"), Way.back("red")
    install(lab, *stage.ruleset(stage.MASQUERADE, lab.overlay, point, 0))
    out = path.through(there, stage.NAMED_PORT)
    home = path.through(back, stage.NAMED_PORT, is_back=True)
    return [
        _row(stage.MASQUERADE, stage.RED_ONE, there, out),
        _row(stage.MASQUERADE, stage.BACK, back, home),
    ]


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Filter(rounds=60),
    quick=Filter(rounds=15),
    # Medians of 60 batches a lab and more, which a tenth of the time stolen moves little.
    thresholds=Thresholds(cpu_steal_max=0.1, repeats_min=1),
    watches=True,
    repeats=2,
    stage=stage.staged,
    predict=stage.predicted,
    scenario="leaf-spine",
)
