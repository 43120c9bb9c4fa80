"""Where the time of a ping goes: captures at every hop of its path while it runs.

    guest       br-int ... wire            wire ... br-int       far guest
    eth0 ------ qvo   host    underlay == underlay  far host qvo ------ eth0

Each hop's stamp is the kernel's, taken when the packet passes the interface.
"""

from dataclasses import dataclass

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from controller.model.parts import Port
from experiments.core.experiment import Context, Lab
from experiments.core.question import Row
from experiments.latency import stages
from experiments.measure.captures import (
    INTERFACE,
    NODE,
    Captures,
    all_of,
    capturing,
    decoded,
    stamp_ns,
)
from experiments.measure.ping import Reply, Requests

WIRE = "underlay"  # what a compute host calls its wire


@dataclass(frozen=True, slots=True)
class Hop:
    """An interface that the ping passes."""

    node: str
    interface: str


def hops(overlay: Overlay, pair: tuple[Port, Port]) -> tuple[Hop, ...]:
    """The hops between two guests, in the order of `stages.HOPS`.

    Raises:
        MeasureError: both stand on one host, so that no wire is between them.
    """
    one, far = pair
    if one.host == far.host:
        raise MeasureError(
            f"both guests on {one.host!r}",
            where=f"stages from {one.device_id} to {far.device_id}",
            allowed="guests on two hosts",
            do="Take a pair with a wire between them.",
        )
    near, distant = (
        (
            Hop(port.device_id, _interface(overlay, port)),
            Hop(port.host, overlay.device_of(port)),
            Hop(port.host, WIRE),
        )
        for port in pair
    )
    return (*near, *reversed(distant))


def _interface(overlay: Overlay, port: Port) -> str:
    """What the guest calls the interface of its port: they are numbered in scenario order."""
    own = [each.id for each in overlay.ports if each.host and each.device_id == port.device_id]
    return f"eth{own.index(port.id)}"


def stage_rows(
    lab: Lab, pair: tuple[Port, Port], context: Context, *, pings: int
) -> tuple[Row, ...]:
    """Follow `pings` pings from the first guest to the second, hop by hop; both must be warm.

    Captures and ping's output are kept raw as `stages-*`.

    Raises:
        CommandError: an interface could not be captured.
        MeasureError: ping could not be read, or others pinged between the two at the same time.
    """
    along = hops(lab.overlay, pair)
    where: dict[str, tuple[str, ...]] = {}
    for hop in along:
        where[hop.node] = (*where.get(hop.node, ()), hop.interface)
    with capturing(lab, where, lambda name: context.path(f"stages-{name}")) as files:
        replies = _ping(lab, pair, context, pings)
    echoes = stages.of_pair(_echoes(files, along), str(pair[0].ipv4[0]), str(pair[1].ipv4[0]))
    found = stages.passages(
        echoes, ident=_own(stages.idents(echoes), pair), seqs=[reply.seq for reply in replies]
    )
    return tuple(
        row for passage, reply in zip(found, replies, strict=True) for row in _rows(passage, reply)
    )


def _ping(lab: Lab, pair: tuple[Port, Port], context: Context, pings: int) -> tuple[Reply, ...]:
    source, target = pair
    asked = Requests(count=pings)
    argv = asked.argv(target.ipv4[0])
    with context.watch():
        done = lab.attempt(source.device_id, *argv, timeout_s=asked.timeout_s)
    said = f"# {source.device_id}: {' '.join(argv)}\n{done.stdout}{done.stderr}"
    context.keep("stages-ping.txt", said)
    return asked.read(done.stdout).replies


def _echoes(files: Captures, along: tuple[Hop, ...]) -> list[stages.Echo]:
    packets = decoded(files, stages.FIELDS, "icmp")
    number = {(hop.node, hop.interface): at for at, hop in enumerate(along)}
    found = (
        stages.echo(
            number[packet[NODE], packet[INTERFACE]],
            stamp_ns(packet),
            {name: all_of(packet, name) for name in stages.FIELDS},
        )
        for packet in packets
    )
    return [each for each in found if each]


def _own(found: tuple[int, ...], pair: tuple[Port, Port]) -> int:
    """The identifier of our ping, which must be the only one there."""
    if len(found) == 1:
        return found[0]
    raise MeasureError(
        f"{len(found)} identifiers of ICMP echo requests",
        where=f"capture in {pair[0].device_id}",
        allowed="one: that of the ping whose stages are measured",
        do=f"Let nothing else ping from there to {pair[1].device_id} meanwhile.",
    )


def _rows(passage: stages.Passage, reply: Reply) -> tuple[Row, ...]:
    """One a stage, and what ping itself said; or why there are none."""
    if passage.why_not or reply.rtt_ms is None:
        why = passage.why_not or "no reply, says ping"
        return (_row(passage.seq, stages.PING, stages.UNMATCHED, None, why),)
    timed = zip(stages.STAGES, passage.latencies_us, strict=True)
    beyond = stages.beyond_us(passage.sum_us, reply.rtt_ms)
    return (
        *(_row(passage.seq, way, stage, round(us, 3)) for (way, stage), us in timed),
        _row(
            passage.seq,
            stages.PING,
            stages.RTT,
            round(reply.rtt_ms * 1000, 3),
            f"stages exceed it by {beyond:.1f} us" if beyond else None,
        ),
    )


def _row(
    seq: int, direction: str, stage: str, latency_us: float | None, note: str | None = None
) -> Row:
    return {
        "seq": seq,
        "direction": direction,
        "stage": stage,
        "latency_us": latency_us,
        "note": note,
    }
