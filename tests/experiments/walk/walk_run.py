"""A made-up run of `walk`: the predicted values, in the files of a run."""

from experiments.core.results import Recorder, read
from experiments.walk.labs import places, predicted, predicted_stacks
from experiments.walk.probe import EXPERIMENT as WALK
from experiments.walk.words import BACK, FORGED, PUBLIC, SERVER, THERE, TUNNEL
from tests.experiments.made_runs import ABOUT
from topologies.scenario.load import load

SITES = load("home-office").sites
ROUTER_MAC, SERVER_MAC = "ce:d5:9d:b2:88:eb", "fa:16:3e:85:f4:b3"
RTTS = {PUBLIC: 0.41, TUNNEL: 0.42, SERVER: 0.45}
QUESTION = WALK.question


def hops(way):
    """A row for each interface."""
    along, ttl = zip(places(SITES, way), predicted_stacks(SITES, way), strict=True), 64
    for number, (place, stack) in enumerate(along, start=1):
        ends = (ROUTER_MAC, SERVER_MAC) if way == THERE else (SERVER_MAC, ROUTER_MAC)
        if place.is_tunnelled:
            outer = 64 - (number - 4) // 2 if way == THERE else 64
            ttl = f"{outer} 63"
        yield {
            "way": way,
            "hop": number,
            "node": place.node,
            "interface": place.interface,
            "packets": 1,
            "stack": stack,
            "frame_bytes": 122 if place.is_tunnelled else 98,
            "ttl": ttl if place.is_tunnelled else "63",
            "eth_source": ends[0],
            "eth_target": ends[1],
        }


def heard(desk_hears_ping=0, desk_hears_arp=1):
    for node, what, packets in (
        ("server", "ARP request", 1),
        ("server", "ping", 2),
        ("desk", "ARP request", desk_hears_arp),
        ("desk", "ping", desk_hears_ping),
    ):
        yield {"node": node, "what": what, "target": None, "packets": packets}


def walk_run(parent, *, repeats=6, seen=None, change_hop=None, more_ms=0.0, desk=None, **about):
    """A run; `seen` has results of checks that differ, `change_hop` changes rows of `hops`."""
    recorder = Recorder(parent, "walk", QUESTION.tables())
    cells = predicted(SITES, ())
    recorder.about(
        {
            **ABOUT,
            "scenario": "home-office",
            "question": QUESTION.to_json(),
            "predicted": list(cells),
            "repeats": repeats or 1,  # 0: it was interrupted in the first one
            **about,
        }
    )
    for repeat in range(1, repeats + 1):
        place = {"repeat": repeat, "order": 1, "tunnel": "gre"}
        found = [{**cell, "seen": (seen or {}).get(cell["check"], cell["seen"])} for cell in cells]
        recorder.samples({**place, **cell} for cell in found)
        rows = [row for way in (THERE, BACK) for row in hops(way)]
        rows = [change_hop(dict(row)) if change_hop else row for row in rows]
        recorder.samples(({**place, **row} for row in rows), "hops")
        recorder.samples(({**place, **row} for row in heard(**(desk or {}))), "heard")
        recorder.samples(
            (
                {
                    **place,
                    "path": path,
                    "batch": 1,
                    "seq": seq,
                    "rtt_ms": round(ms + seq / 500 + (more_ms if path == TUNNEL else 0), 4),
                }
                for path, ms in RTTS.items()
                for seq in range(1, 21)
            ),
            "rtts",
        )
        recorder.samples(
            [
                {
                    **place,
                    "case": FORGED,
                    "outer_source": "221.234.230.1",
                    "inner_source": "172.16.16.1",
                    "sent": 3,
                    "arrived": 3,
                    "answered": 0,
                }
            ],
            "injected",
        )
    return read(recorder.directory)
