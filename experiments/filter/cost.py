"""What the rules of a firewall cost a packet that none of them matches."""

import time
from collections.abc import Iterator
from random import Random

from experiments.core.experiment import Lab
from experiments.core.question import Point, Row
from experiments.filter import labs as stage
from experiments.filter.path import FIREWALL, LATE_S, NEAR, NEXT, NOWHERE, install
from experiments.measure.frames import redirected
from experiments.measure.sockets import Send, senders

BATCH = 100  # packets: forwarded in one go; after 2 ms the kernel leaves the rest to a thread
COSTS = (
    (stage.NONE, 0),
    (stage.INNER_NFT, 1),
    (stage.INNER_NFT, 100),
    (stage.INNER_U32, 1),
    (stage.INNER_U32, 100),
    (stage.CONNTRACK, 1),
)


def costs(lab: Lab, point: Point, frame: bytes, rounds: int, draw: Random) -> Iterator[Row]:
    """Microseconds a packet takes past each ruleset, in batches, in a new order each round."""
    kind = stage.network_type(point)
    wire, behind = redirected(frame, NOWHERE[NEXT]), lab.pid(NEXT)
    with senders(lab.pid(NEAR), (FIREWALL,)) as send:
        for number in range(1, rounds + 1):
            for rule, many in draw.sample(COSTS, len(COSTS)):
                install(lab, *stage.costs(rule, many, kind))
                took_us = _batch_us(send[FIREWALL], wire, behind)
                yield {"rule": rule, "rules": many, "round": number, "us_per_packet": took_us}


def _batch_us(send: Send, wire: bytes, behind: int) -> float | None:
    """Time until a batch has come to the router behind the firewall; None: some never did."""
    goal = _received(behind) + BATCH
    begun = time.perf_counter()
    for _ in range(BATCH):
        send(wire)
    while _received(behind) < goal:
        if time.perf_counter() > begun + LATE_S:
            return None
    return round((time.perf_counter() - begun) / BATCH * 1e6, 4)


def _received(pid: int) -> int:
    """Packets that the router behind the firewall has got from it."""
    with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:  # noqa: PTH123  it is read often
        lines = file.read().splitlines()
    line = next(each for each in lines if each.strip().startswith(f"{FIREWALL}:"))
    return int(line.partition(":")[2].split()[1])
