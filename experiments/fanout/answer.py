"""What `fanout` answers about named modes: the copies each sends, with the most hosts."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from experiments.core.results import Run
from experiments.fanout.report import cells_of, frames_of
from experiments.fanout.words import KNOWN, OTHER, UNICAST, UNKNOWN
from experiments.show.answers import each_does

KINDS = {
    OTHER: "a broadcast",
    KNOWN: "an ARP request for a known address",
    UNKNOWN: "an ARP request for an unknown address",
    UNICAST: "an unknown unicast",
}


def answers(run: Run, named: Sequence[str]) -> Iterator[str]:
    """A broadcast first, then the kinds of frames that are sent otherwise; by number of members."""
    cells = cells_of(frames_of(run)).filter(pl.col("mode").is_in(named))
    largest = cells.filter(hosts=cells["hosts"].max()).sort("share", maintain_order=True)
    for (members,), network in largest.group_by("members", maintain_order=True):
        sent: dict[str, dict[str, str]] = defaultdict(dict)
        for cell in sorted(network.rows(named=True), key=lambda cell: named.index(cell["mode"])):
            sent[cell["kind"]][cell["mode"]] = _copies(cell)
        hosts = network["hosts"][0]
        where = f"{hosts} hosts" if members == hosts else f"{hosts} hosts, {members} with a member"
        for kind, by_mode in sorted(sent.items(), key=lambda each: each[0] != OTHER):
            if kind == OTHER or by_mode != sent.get(OTHER):
                yield f"{where}, {KINDS.get(kind, kind)}: {each_does(by_mode, 'sends', 'send')}"


def _copies(cell: Mapping[str, Any]) -> str:
    """Such as `15 copies (8 unneeded)`."""
    sent, unneeded = ("-".join(map(str, cell[name])) for name in ("copies_sent", "unneeded"))
    copies = f"{sent} {'copy' if sent == '1' else 'copies'}"
    return copies if unneeded == "0" else f"{copies} ({unneeded} unneeded)"
