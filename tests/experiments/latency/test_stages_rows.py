"""The stages of pings, from packets and output of a real lab."""

import csv
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from controller.model.errors import MeasureError
from controller.model.overlay import Overlay
from experiments.core.experiment import Context
from experiments.core.pairs import guests
from experiments.latency import stages as probe
from experiments.latency.question import STAGE_COLUMNS
from experiments.latency.stages import FIELDS, Hop, hops, stage_rows
from experiments.latency.words import PING, RTT, STAGES, UNMATCHED
from experiments.measure.captures import Captures
from experiments.measure.packets import INTERFACE, NODE, REPEATED, STAMP
from topologies.scenario import load as scenario

RECORDED = Path(__file__).with_name("stage_packets")
OURS, OTHER = "28371", "28369"
PATH = (
    Hop("ServerA", "eth0"),
    Hop("controller", "qvo00a1bde0-be"),
    Hop("controller", "underlay"),
    Hop("computer", "underlay"),
    Hop("computer", "qvof89d1f15-3d"),
    Hop("ServerB", "eth0"),
)


@pytest.fixture(scope="module")
def article():
    return scenario.load("article").overlay


@dataclass
class Lab:
    """A lab in which one ping ran."""

    overlay: Overlay
    output: str
    asked: list = field(default_factory=list)

    def attempt(self, node, *argv, timeout_s=10):
        self.asked.append((node, *argv))
        return CompletedProcess(argv, 0, self.output, "")


def packets(without=()):
    """The packets as `decoded` returns them."""
    with (RECORDED / "vxlan.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["icmp.type"] and line["icmp.ident"] not in without:
                hop = PATH[int(line["hop"])]
                values = {name: line[name].replace(";", REPEATED) for name in FIELDS}
                stamp = f"{line['stamp_ns'][:-9]}.{line['stamp_ns'][-9:]}"
                yield {NODE: hop.node, INTERFACE: hop.interface, STAMP: stamp, **values}


@pytest.fixture
def followed(article, monkeypatch, tmp_path):
    """Returns the rows of these packets; has what was captured and what was kept."""
    where, kept = {}, {}

    @contextmanager
    def capturing(_lab, asked, path):
        where.update(asked)
        assert path("ServerA.pcapng") == tmp_path / "stages-ServerA.pcapng"
        yield Captures()

    def rows(found):
        monkeypatch.setattr(probe, "capturing", capturing)
        monkeypatch.setattr(probe, "decoded", lambda *_: list(found))
        output = (RECORDED / f"ping-{OURS}.txt").read_text(encoding="utf-8")
        context = Context(
            keep=kept.__setitem__,
            path=lambda name: tmp_path / name,
            watch=nullcontext,
            say=print,
            seed=1,
        )
        return stage_rows(Lab(article, output), guests(article), context, pings=4)

    rows.where, rows.kept = where, kept
    return rows


def test_the_hops_are_all_interfaces_between_the_guests(article):
    assert hops(article, guests(article)) == PATH


def test_the_hop_of_a_guest_with_two_ports_is_that_of_the_pair(article):
    source, target = guests(article)
    first = replace(
        source,
        id="11111111-2222-4333-8444-555555555555",
        name="first",
        fixed_ips=(),
        mac_address="fa:16:3e:00:00:99",
    )
    two = replace(article, ports=(first, *article.ports))

    assert hops(two, (source, target))[0] == Hop("ServerA", "eth1")


def test_guests_on_one_host_are_an_error(article):
    source, target = guests(article)

    with pytest.raises(MeasureError) as caught:
        hops(article, (source, replace(target, host=source.host)))
    assert str(caught.value) == (
        "stages from ServerA to ServerB: both guests on 'controller'; allowed: guests on two "
        "hosts. Choose a pair with a wire between them."
    )


def test_each_ping_has_a_row_per_stage_and_one_for_its_round_trip(followed):
    rows = followed(packets(without=(OTHER,)))

    assert [(row["seq"], row["direction"], row["stage"]) for row in rows] == [
        (seq, *place) for seq in range(1, 5) for place in (*STAGES, (PING, RTT))
    ]
    assert {tuple(row) for row in rows} == {tuple(STAGE_COLUMNS)}
    assert [row["latency_us"] for row in rows if row["stage"] == RTT] == [334, 170, 154, 573]
    assert all(row["note"] is None for row in rows)
    first = sum(row["latency_us"] for row in rows[: len(STAGES)])
    assert 0.8 * 334 < first < 334


def test_every_hop_is_captured_and_the_output_of_ping_is_kept(followed):
    followed(packets(without=(OTHER,)))

    assert followed.where == {
        "ServerA": ("eth0",),
        "controller": ("qvo00a1bde0-be", "underlay"),
        "computer": ("underlay", "qvof89d1f15-3d"),
        "ServerB": ("eth0",),
    }
    (text,) = followed.kept.values()
    assert text.startswith("# ServerA: ping -n -D -i 0.01 -c 5 ")
    assert "4 packets transmitted, 4 received" in text


def test_a_ping_that_was_not_seen_at_a_hop_has_one_row_with_the_reason(followed):
    kept = (
        packet
        for packet in packets(without=(OTHER,))
        if (packet[NODE], packet["icmp.seq"]) != ("ServerB", "2")
    )
    rows = followed(kept)

    assert [row for row in rows if row["seq"] == 2] == [
        {
            "seq": 2,
            "direction": PING,
            "stage": UNMATCHED,
            "latency_us": None,
            "note": "no request at eth0 of the far guest",
        }
    ]
    assert len(rows) == 1 + 3 * (len(STAGES) + 1)


def test_stages_longer_than_the_round_trip_are_noted(followed):
    # The reply is seen 1 s late, as if one hop had another clock.
    def late(packet):
        is_last = (packet[NODE], packet["icmp.type"], packet["icmp.seq"]) == ("ServerA", "0", "3")
        seconds, _, rest = packet[STAMP].partition(".")
        return {**packet, STAMP: f"{int(seconds) + is_last}.{rest}"}

    rows = followed(map(late, packets(without=(OTHER,))))

    (noted,) = [row for row in rows if row["note"]]
    assert (noted["seq"], noted["stage"]) == (3, RTT)
    assert noted["note"].startswith("stages exceed it by 9999")


def test_another_ping_between_the_two_at_the_same_time_is_an_error(followed):
    with pytest.raises(MeasureError) as caught:
        followed(packets())
    assert str(caught.value) == (
        "capture in ServerA: 2 identifiers of ICMP echo requests; allowed: one: that of "
        "the ping whose stages are measured. Stop other pings from there to ServerB while it runs."
    )
