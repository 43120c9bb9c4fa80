"""A run of latency with random samples from a seed, as files."""

from dataclasses import replace

import numpy as np

from experiments.core.results import Recorder
from experiments.latency.question import QUESTION

MODES = QUESTION.factors["mode"]
TRUSTED = {"trusted": True, "reasons": [], "thresholds": {}}
BARE = {"veth": 0.018, "same-host": 0.21, "vtep": 0.14}
FIRST = {  # the cost of each empty cache [ms]; None: the ping is lost
    "new-lab": 2.4,
    "guest-arp": 0.9,
    "learned-flow": 0.3,
    "megaflow": 1.2,
    "vtep-neighbour": None,
    "none": 0.0,
}
KERNEL_FIRST = {
    "kernel-new-lab": 0.05,
    "kernel-guest-arp": 0.04,
    "kernel-fdb": 0.02,
    "none": 0.0,
}


def base_ms(mode, effects):
    """The median of a mode: flat, the cost of a tunnel, and what each factor adds."""
    kind, _, way = mode.partition("-")
    if not way:
        return 0.40
    if kind == "kvxlan":
        return 0.12
    return 0.44 + effects.get(kind, 0.0) + effects.get(way, 0.0)


class Made:
    """The rows of a run, repeat by repeat."""

    def __init__(self, seed, effects):
        self.draw, self.effects, self.rows = np.random.default_rng(seed), effects, []
        self.now = 1_700_000_000.0

    def row(self, place, path, phase, rtt, **more):
        self.now += 0.016 if more.get("interval_ms", 10) else 0.0004
        self.rows.append(
            {
                **place,
                "path": path,
                "phase": phase,
                "cache": None,
                "interval_ms": 10,
                "payload_bytes": 56,
                "seq": 1,
                "copies": 0,
                **more,
                "received_s": None if rtt is None else round(self.now, 6),
                "rtt_ms": None if rtt is None else round(float(rtt), 3),
            }
        )

    def series(self, place, path, phase, middle, count, **more):
        for seq, rtt in enumerate(middle * self.draw.lognormal(0, 0.18, count), start=1):
            self.row(place, path, phase, rtt, seq=seq, **more)

    def lab(self, repeat, order, mode, pings):
        place = {"repeat": repeat, "order": order, "mode": mode}
        middle = base_ms(mode, self.effects) * self.draw.normal(1, 0.01)
        self.series(place, "guest", "warmup", 1.2 * middle, 5)
        self.series(place, "guest", "warm", middle, pings)
        self.series(place, "guest", "warm", 1.05 * middle, pings // 3, payload_bytes=1200)
        self.series(place, "guest", "warm", 0.6 * middle, pings // 3, interval_ms=0)
        if mode == "flat":
            for path, bare in BARE.items():
                self.series(place, path, "warm", bare, pings // 2)
        for cache, cost in (KERNEL_FIRST if "kvxlan" in mode else FIRST).items():
            self.first(place, cache, middle, cost)

    def first(self, place, cache, middle, cost):
        if cache == "learned-flow" and "mesh" not in place["mode"]:
            return
        if cache == "vtep-neighbour" and place["mode"] == "flat":
            return
        for seq in (1, 2):
            rtt = None if cost is None else (middle + cost) * self.draw.lognormal(0, 0.1)
            self.row(place, "guest", "first", rtt, cache=cache, seq=seq)


def made(seed=1, *, repeats=6, pings=60, modes=MODES, effects=None):
    """The rows of samples.csv."""
    run = Made(seed, effects or {})
    for repeat in range(1, repeats + 1):
        base = np.random.default_rng(repeat).normal(0, 0.02)
        run.effects = {
            **(effects or {}),
            **{each: (effects or {}).get(each, 0.0) + base for each in ("gre", "vxlan")},
        }
        for order, mode in enumerate(modes, start=1):
            run.lab(repeat, order, mode, pings)
    return run.rows


def about(question=QUESTION, **more):
    """run.json."""
    return {
        "question": question.to_json(),
        "seed": 7,
        "verdict": TRUSTED,
        "quick": False,
        "scenario": "article",
        "settings": {"pings": 60},
        "predicted": [],
        "lab": {"datapath": "netdev", "app": "os-ken"},
        "machine": {"tools": {"ovs": "3.1.0"}},
        "measured": [],
        "start": "2026-11-20T10:00:00+00:00",
        "end": "2026-11-20T10:03:00+00:00",
        **more,
    }


def written(parent, rows, question=QUESTION, **more):
    """The folder of a run with these samples."""
    question = replace(question, more={})
    recorder = Recorder(parent, "made", question.tables())
    recorder.about(about(question, **more))
    recorder.samples(rows)
    return recorder.directory
