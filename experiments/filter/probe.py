"""Measures `filter`: what a firewall between two VTEPs can separate, and what its rules cost."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from controller.model.errors import MeasureError
from experiments.core.experiment import Context, Experiment, Lab, Measured
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.filter import labs, words
from experiments.filter.path import (
    BLUE,
    FIREWALL,
    NEAR,
    NEXT,
    RED,
    RED_BACK,
    ROUTER_TIMEOUT_S,
    SINKS,
    Counted,
    Path,
    Way,
    add_sinks,
    install,
    opened,
)
from experiments.filter.question import QUESTION
from experiments.filter.words import BATCH, MANY
from experiments.measure.frames import redirected
from experiments.measure.sockets import Send, senders

CONNTRACK_FILE = "/proc/net/nf_conntrack"
# An entry without a reply is removed after 30 s, which a busy machine may need for all flows.
KEEP_S = 600
LIFETIMES = ("net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_gre_timeout")
COSTS = (  # kinds of rules, and how many
    (words.NO_RULE, 0),
    (words.INNER_NFT, 1),
    (words.INNER_NFT, MANY),
    (words.INNER_U32, 1),
    (words.INNER_U32, MANY),
    (words.CONNTRACK, 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Installs one ruleset after the other in a router, and counts the packets that pass."""

    rounds: int  # batches whose time is measured, for each ruleset

    def __call__(self, lab: Lab, point: Point, context: Context, /) -> Measured:
        """Measure one lab."""
        with ExitStack() as stack:
            add_sinks(lab)
            path = opened(lab, stack)
            with context.counting():
                rows, frame = _stopped(path, point, context)
                rows += _tracked(path, point, context)
                rows += _masqueraded(path, point)
            with context.watch():  # only the costs are timed
                cost = tuple(_costs(lab, point, frame, self.rounds, Random(context.seed)))
        return Measured(rows=tuple(rows), more={"cost": cost})


def _stopped(path: Path, point: Point, context: Context) -> tuple[list[Row], bytes]:
    """The flows that each rule stops; and a frame as the firewall receives it."""
    lab, rows = path.lab, list[Row]()
    install(lab, labs.ruleset(words.NO_RULE, lab.overlay, point, 0))
    first = path.through(RED, labs.NAMED_PORT)
    outer_port = _outer_port(first)
    for rule in labs.stopping(labs.network_type(point)):
        ruleset = labs.ruleset(rule, lab.overlay, point, outer_port)
        install(lab, ruleset)
        context.keep(f"rules-{rule.replace(', ', '-').replace(' ', '-')}.txt", ruleset.text)
        for what, way, port in (
            (words.FLOW_A, RED, labs.NAMED_PORT),
            (words.OTHER_A, RED, labs.OTHER_PORT),
            (words.FLOW_B, BLUE, labs.NAMED_PORT),
        ):
            rows.append(_row(rule, what, way, path.through(way, port)))
    return rows, first.frame


def _row(rule: str, what: str, way: Way, found: Counted) -> Row:
    into, out, guest = map(found.at, way.places)
    return {"rule": rule, "what": what, "count": guest, "forwarded": out, "offered": into}


def _outer_port(found: Counted) -> int:
    """The outer UDP source port of tenant A's packets, 0 for GRE; raises MeasureError if none arrived."""
    ports = [packet.outer_port for packet in found.packets[RED.places[0]].values()]
    if not ports:
        raise MeasureError(
            "no packet of the first flow",
            where=f"{NEAR} of {FIREWALL}",
            allowed="all of them, before there is a rule",
            do="Check that the guests can ping each other.",
        )
    return ports[0] or 0


def _tracked(path: Path, point: Point, context: Context) -> list[Row]:
    """Conntrack's entries after tenant A's flows in both directions."""
    lab, ports = path.lab, set[int]()
    for key in LIFETIMES:
        lab.run(FIREWALL, "sysctl", "-qw", f"{key}={KEEP_S}")
    install(lab, labs.ruleset(words.CONNTRACK, lab.overlay, point, 0))
    for port in range(labs.FIRST_PORT, labs.FIRST_PORT + labs.TRACKED_FLOWS):
        for way in (RED, RED_BACK):
            found = path.through(way, port, copies=2)
            ports |= {packet.outer_port or 0 for packet in found.packets[way.places[0]].values()}
    table = lab.run(FIREWALL, "cat", CONNTRACK_FILE)
    context.keep("conntrack.txt", table)
    entries = [line for line in table.splitlines() if _is_counted(line, ports - {0})]
    replied = sum("[UNREPLIED]" not in line for line in entries)
    return [
        {"rule": words.CONNTRACK, "what": words.ENTRIES, "count": len(entries)},
        {"rule": words.CONNTRACK, "what": words.REPLIED, "count": replied},
    ]


def _is_counted(line: str, ports: set[int]) -> bool:
    """An entry of GRE, or of a UDP flow with one of these outer source ports."""
    fields = line.split()
    is_tunnel = fields[2] == "gre" or any(f"sport={port}" in fields for port in ports)
    return is_tunnel and f"zone={labs.TRACKED}" in fields


def _masqueraded(path: Path, point: Point) -> list[Row]:
    """Packets from the near VTEP, which has the firewall's address, then those to it."""
    install(path.lab, labs.ruleset(words.MASQUERADE, path.lab.overlay, point, 0))
    return [
        _row(words.MASQUERADE, what, way, path.through(way, labs.NAMED_PORT))
        for what, way in ((words.FLOW_A, RED), (words.BACK_A, RED_BACK))
    ]


def _costs(lab: Lab, point: Point, frame: bytes, rounds: int, draw: Random) -> Iterator[Row]:
    """The time per packet with each ruleset, in another order each round."""
    kind = labs.network_type(point)
    wire, behind = redirected(frame, SINKS[NEXT]), lab.pid(NEXT)
    with senders(lab.pid(NEAR), (FIREWALL,)) as send:
        for number in range(1, rounds + 1):
            for rule, many in draw.sample(COSTS, len(COSTS)):
                install(lab, labs.unmatched_ruleset(rule, many, kind))
                us = _us_per_packet(send[FIREWALL], wire, behind)
                yield {"rule": rule, "rules": many, "round": number, "us_per_packet": us}


def _us_per_packet(send: Send, wire: bytes, behind: int) -> float | None:
    """Time until a batch has arrived at the router behind the firewall; None if packets are lost."""
    last = _received(behind) + BATCH
    begun = time.perf_counter()
    for _ in range(BATCH):
        send(wire)
    while _received(behind) < last:
        if time.perf_counter() > begun + ROUTER_TIMEOUT_S:
            return None
    return round((time.perf_counter() - begun) / BATCH * 1e6, 4)


def _received(pid: int) -> int:
    """Packets that the router behind the firewall has received from it."""
    with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:  # noqa: PTH123  it is read often
        lines = file.read().splitlines()
    line = next(each for each in lines if each.strip().startswith(f"{FIREWALL}:"))
    return int(line.partition(":")[2].split()[1])


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Filter(rounds=60),
    quick=Filter(rounds=15),
    # Medians of 60 batches per lab and more, which 10% of stolen time changes little.
    thresholds=Thresholds(cpu_steal_max=0.1, cpu_others_max=0.2, repeats_min=1),
    watches=True,
    repeats=2,
    stage=labs.staged,
    predict=labs.predicted,
    scenario="leaf-spine",
)
