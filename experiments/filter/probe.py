"""The experiment `filter`: what a firewall between two VTEPs can tell apart, and at what cost."""

from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from controller.model.errors import MeasureError
from experiments.core.experiment import Bench, Experiment, Measured, Tools
from experiments.core.question import Point, Prediction, Question, Row
from experiments.core.verdict import Thresholds
from experiments.filter import labs as stage
from experiments.filter.cost import costs
from experiments.filter.path import FIREWALL, NEAR, Counted, Path, Way, install, lay_sinks, opened

CONNTRACK_FILE = "/proc/net/nf_conntrack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Puts one ruleset after the other into a router, and sees what still comes through."""

    rounds: int  # of the batches that the cost is made from

    def __call__(self, bench: Bench, point: Point, tools: Tools, /) -> Measured:
        """Measure one lab."""
        with ExitStack() as stack:
            lay_sinks(bench)
            path = opened(bench, stack)
            rows, frame = _blocked(path, point, tools)
            rows += _tracked(path, point, tools)
            rows += _masqueraded(path, point)
            with tools.watch():  # what is timed; packets are counted, however long they take
                took = tuple(costs(bench, point, frame, self.rounds, Random(tools.seed)))
        return Measured(rows=tuple(rows), more={"cost": took})


def _blocked(path: Path, point: Point, tools: Tools) -> tuple[list[Row], bytes]:
    """Each rule, and which flows it stops; also a frame as the firewall gets it."""
    bench, kind, rows = path.bench, stage.network_type(point), list[Row]()
    install(bench, "nft", stage.ruleset(stage.NONE, bench.overlay, point, 0)[1])
    first = path.through(Way.of("red"), stage.NAMED_PORT)
    outer_port = _outer_port(first)
    for rule in stage.blocking(kind):
        program, text = stage.ruleset(rule, bench.overlay, point, outer_port)
        install(bench, program, text)
        tools.keep(f"rules-{rule.replace(', ', '-').replace(' ', '-')}.txt", text)
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


def _tracked(path: Path, point: Point, tools: Tools) -> list[Row]:
    """What conntrack makes of red's flows, there and back."""
    bench = path.bench
    install(bench, *stage.ruleset(stage.CONNTRACK, bench.overlay, point, 0))
    ports = set[int]()
    for number in range(stage.FLOWS):
        for way, is_back in ((Way.of("red"), False), (Way.back("red"), True)):
            found = path.through(way, stage.FIRST_PORT + number, is_back=is_back, copies=2)
            ports |= {packet.outer_port or 0 for packet in found.packets.get(way.places[0], ())}
    table = bench.run(FIREWALL, "cat", CONNTRACK_FILE)
    tools.keep("conntrack.txt", table)
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
    bench, there, back = path.bench, Way.of("red"), Way.back("red")
    install(bench, *stage.ruleset(stage.MASQUERADE, bench.overlay, point, 0))
    out = path.through(there, stage.NAMED_PORT)
    home = path.through(back, stage.NAMED_PORT, is_back=True)
    return [
        _row(stage.MASQUERADE, stage.RED_ONE, there, out),
        _row(stage.MASQUERADE, stage.BACK, back, home),
    ]


FILTER = Experiment(
    question=Question(
        name="filter",
        asks="Can a firewall in the underlay stop one tenant's flow and pass another's?",
        value="count",
        unit="packets",
        factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh", "kvxlan-mesh")},
        teller="filter",
        predictions=(
            Prediction(
                of="outer",
                says="outer addresses or the outer service stop both tenants, or neither",
                because="both go from VTEP to VTEP, by the same protocol and port",
            ),
            Prediction(
                of=stage.OUTER_FLOW,
                says="an outer UDP source port names a flow, not a tenant: red's other flow passes, "
                "and blue's flow of the same five-tuple is stopped with red's; GRE has no such field",
                because="the port is a hash of the inner five-tuple, and of nothing else",
            ),
            Prediction(
                of="inner",
                says="the inner addresses with the segmentation_id before them stop red and pass "
                "blue, by nft and by u32 alike; without the id they stop both",
                because="tenants may have the same addresses; every field is at a fixed place, as "
                "long as no outer header has options",
            ),
            Prediction(
                of=stage.CONNTRACK,
                says="conntrack has one entry for all of GRE, with a reply; of VXLAN and Geneve one "
                "for each flow each way, and none ever sees a reply",
                because="answers go to the fixed port from a source port of their own hash (RFC 7348, "
                "section 5): they are a new UDP flow",
            ),
            Prediction(
                of=stage.MASQUERADE,
                says="masquerade breaks every tunnel: an OVS VTEP takes nothing more from behind it, "
                "and of its own packets UDP still comes home, GRE does not; Linux takes what comes, "
                "and answers to the firewall, in vain",
                because="OVS takes a tunnel's packets from its remote_ip alone; Linux looks at the VNI, "
                "and learns the outer source; GRE has no port by which conntrack could tell the "
                "other way from an answer to what it has translated, so it drops it",
            ),
            Prediction(
                of="cost",
                says="100 rules on inner headers cost a packet more than one does, by nft and by u32",
                because="rules are held against a packet one after the other",
            ),
        ),
        columns={
            "mode": "how both tenants' networks are carried, between the same two VTEPs",
            "rule": "what the firewall was told",
            "what": "whose flow; red, other port: another flow of the tenant that is to be stopped; "
            "blue, same flow: of the same five-tuple in the other tenant; or of conntrack's table",
            "count": "packets of 16 that the far guest got; or entries",
            "forwarded": "of those, packets that left the firewall",
            "offered": "of those, packets that came into the firewall",
        },
        more={
            "cost": {
                "mode": "as above",
                "rule": "what the firewall was told",
                "rules": "how many of them, none of which the packet matches",
                "round": "from 1, each in another order",
                "us_per_packet": "microseconds from the first of a batch sent until the last is "
                "through the firewall, by the packets in it; empty: some were lost",
            },
        },
    ),
    probe=Filter(rounds=60),
    quick=Filter(rounds=15),
    # Medians of 60 batches a lab and more, which a tenth of the time stolen moves little.
    thresholds=Thresholds(cpu_steal_max=0.1, blocks_min=1),
    watches=True,
    blocks=2,
    stage=stage.staged,
    foretell=stage.foretold,
    scenario="leaf-spine",
)
