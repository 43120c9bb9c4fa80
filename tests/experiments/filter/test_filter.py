"""`filter` on paper: the rules' texts, what is foretold, and how a run is told."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.encap import NetworkType
from experiments.core.results import Recorder, read
from experiments.filter import labs as stage
from experiments.filter import rules
from experiments.filter.path import NOWHERE, Way, barrier
from experiments.filter.probe import EXPERIMENT as FILTER
from experiments.measure.frames import Mark, arrived, udp_frame
from experiments.show.reports import report_on
from topologies.scenario import load as scenario

NAMED = rules.Named(
    network_type=NetworkType.VXLAN,
    segmentation_id=101,
    source=ip_address("10.5.0.1"),
    target=ip_address("10.5.0.2"),
)
GRE = replace(NAMED, network_type=NetworkType.GRE)
GENEVE = replace(NAMED, network_type=NetworkType.GENEVE)


@pytest.fixture(scope="module")
def overlay():
    return scenario.load("leaf-spine").overlay


@pytest.mark.parametrize(
    ("named", "nft", "u32"),
    [
        (
            NAMED,
            "udp dport 4789 @th,96,24 101 @th,336,32 168099841 @th,368,32 168099842 drop",
            "-p udp --dport 4789 -m u32 --u32 "
            '"0>>22&0x3C@12>>8=101&&0>>22&0x3C@42=168099841&&0>>22&0x3C@46=168099842" -j DROP',
        ),
        (
            GENEVE,
            "udp dport 6081 @th,96,24 101 @th,336,32 168099841 @th,368,32 168099842 drop",
            "-p udp --dport 6081 -m u32 --u32 "
            '"0>>22&0x3C@12>>8=101&&0>>22&0x3C@42=168099841&&0>>22&0x3C@46=168099842" -j DROP',
        ),
        (
            GRE,
            "ip protocol gre @th,32,32 101 @th,272,32 168099841 @th,304,32 168099842 drop",
            '-p gre -m u32 --u32 "0>>22&0x3C@4=101&&0>>22&0x3C@34=168099841&&0>>22&0x3C@38=168099842" -j DROP',
        ),
    ],
)
def test_the_rules_on_inner_headers(named, nft, u32):
    assert rules.by_inner_nft(named) == nft
    assert rules.by_inner_u32(named) == u32


@pytest.mark.parametrize(("named", "head"), [(NAMED, 16), (GENEVE, 16), (GRE, 8)])
def test_the_offsets_are_where_the_fields_are(overlay, named, head):
    """Cut out of a real frame behind its tunnel header, as the rules cut it."""
    staged = stage.staged(overlay, {"mode": "vxlan-mesh"})
    frame = udp_frame(stage.flow(staged, 20001), Mark(b"12345678", 1, 0, 0))
    transport = bytes(head) + frame
    for text, wanted in zip(
        rules.by_inner_nft(named, with_id=False).split("@th,")[1:],
        (named.source, named.target),
        strict=True,
    ):
        first, width = (int(part) // 8 for part in text.split()[0].split(","))
        assert transport[first : first + width] == wanted.packed


def test_a_ruleset_is_one_chain_that_lets_the_rest_pass():
    text = rules.nft("a drop", "b drop")

    assert "type filter hook forward priority filter; policy accept;" in text
    assert text.index("a drop") < text.index("b drop")
    assert rules.iptables("-p gre -j DROP") == (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p gre -j DROP\nCOMMIT\n"
    )


def test_rules_that_are_only_to_cost_time_match_nothing(overlay):
    program, text = stage.costs(stage.INNER_NFT, 100, NetworkType.VXLAN)

    assert program == "nft"
    assert text.count(" drop") == 100
    assert f"@th,96,24 {stage.RED} " not in text
    assert stage.costs(stage.INNER_U32, 100, NetworkType.GRE)[1].count("-j DROP") == 100


def test_two_tenants_with_the_same_addresses_on_the_same_hosts(overlay):
    staged = stage.staged(overlay, {"mode": "geneve-mesh"})

    assert [port.device_id for port in staged.ports] == ["red1", "red2", "blue1", "blue2"]
    assert staged.ports[0].fixed_ips == staged.ports[2].fixed_ips
    assert staged.ports[0].mac_address == staged.ports[2].mac_address
    assert {network.segmentation_id for network in staged.networks} == {101, 202}
    assert len({port.host for port in staged.ports}) == len(staged.hosts) == 2


def test_the_barrier_is_named_by_no_rule_and_ends_behind_the_firewall():
    for way in (Way.of("red"), Way.back("red")):
        frame = barrier(way, Mark(b"12345678", 1, 1, 0))
        assert frame[30:34] == ip_address(NOWHERE[way.behind]).packed
        assert arrived(frame, b"12345678").mark.flow == 1


def test_what_is_foretold(overlay):
    rows = stage.predicted(overlay, FILTER.question.points())
    count = {(row["mode"], row["rule"], row["what"]): row["count"] for row in rows}

    assert ("gre-mesh", stage.OUTER_FLOW, stage.RED_ONE) not in count
    assert count["vxlan-mesh", stage.OUTER_FLOW, stage.RED_OTHER] == 16
    assert {
        count[mode["mode"], stage.INNER_NFT, stage.BLUE_ONE] for mode in FILTER.question.points()
    } == {16}
    assert {
        count[mode["mode"], stage.ADDRESSES, stage.BLUE_ONE] for mode in FILTER.question.points()
    } == {0}
    assert (
        count["gre-mesh", stage.CONNTRACK, stage.ENTRIES],
        count["gre-mesh", stage.CONNTRACK, stage.REPLIED],
    ) == (1, 1)
    assert (
        count["kvxlan-mesh", stage.CONNTRACK, stage.ENTRIES],
        count["kvxlan-mesh", stage.CONNTRACK, stage.REPLIED],
    ) == (16, 0)


@pytest.fixture
def report(tmp_path, overlay):
    """A run of one mode as foretold, but for what is said."""

    def report(mode="vxlan-mesh", slow=4.0, others=(), **wrong):
        # By mode: microseconds with 100 rules by nft, and without.
        modes = {mode: (slow, 2.0), **dict(others)}
        experiment = FILTER.with_levels(mode=tuple(modes))
        question = experiment.question
        predicted = [dict(row) for row in stage.predicted(overlay, question.points())]
        recorder = Recorder(tmp_path, "run", question.tables())
        recorder.about(
            {
                "question": question.to_json(),
                "predicted": predicted,
                "seed": 1,
                "scenario": "leaf-spine",
                "verdict": {"trusted": True, "reasons": []},
            }
        )
        place = {"repeat": 1, "order": 1}
        rows = [{**row, **place} for row in predicted]
        for row in rows:
            row["count"] = wrong.get(row["rule"].replace(" ", "_").replace(",", ""), row["count"])
        recorder.samples(rows)
        recorder.samples(
            [
                {
                    **place,
                    "mode": mode,
                    "rule": rule,
                    "rules": many,
                    "round": n,
                    "us_per_packet": us,
                }
                for mode, (slow, bare) in modes.items()
                for rule, many, us in (
                    ("none", 0, bare),
                    ("inner, nft", 1, 2.1),
                    ("inner, nft", 100, slow),
                )
                for n in (1, 2, 3)
            ],
            "cost",
        )
        return report_on(read(recorder.directory))

    return report


def test_a_run_as_foretold(report):
    found = report()

    assert found.findings == (
        "48 of 48 cells equal their prediction",
        "Outer headers name both tenants or none; inner ones with the id name one",
        "By encapsulation, a packet takes 2.0 µs; 100 inner rules add 2.0 µs by nft",
    )
    assert {outcomes.outcome for outcomes in found.outcomes} == {"confirmed"}
    assert not found.is_refuted
    found.draw()


def test_a_rule_that_lets_through_what_it_should_stop_is_told(report):
    found = report_on(outer_addresses=3)

    assert found.is_refuted
    assert [outcomes.outcome for outcomes in found.outcomes][:2] == ["refuted", "confirmed"]
    assert ("outer addresses", "red", "3 not 0") in found.tables[0].rows


def test_encapsulations_that_differ_are_not_pooled(report):
    found = report_on(others=(("gre-mesh", (2.6, 1.6)),))
    hundred = [row for row in found.tables[1].rows if row[1] == "100"]

    assert found.findings[-1] == (
        "By encapsulation, a packet takes 1.6 to 2.0 µs; 100 inner rules add 1.0 to 2.0 µs by nft"
    )
    assert [row[2:4] for row in hundred] == [("vxlan-mesh", "4.00"), ("gre-mesh", "2.60")]
    assert [row[5:7] for row in hundred] == [("+2.00", "20"), ("+1.00", "10")]
    strokes = [
        line for line in found.draw().axes[1].lines if str(line.get_gid()).startswith("median")
    ]
    assert sorted(line.get_xdata()[0] for line in strokes)[-2:] == [2.6, 4.0]


def test_units_are_written_alike(report):
    heads = report().tables[1].heads
    assert [head for head in heads if "[" in head] == [
        "median [µs]",
        "quartiles [µs]",
        "above none [µs]",
        "a rule [ns]",
    ]


def test_what_is_timed_has_a_limit():
    assert FILTER.thresholds.cpu_steal_max == pytest.approx(0.1)


def test_rules_that_cost_nothing_refute_that_they_do(report):
    assert report_on(slow=1.9).outcomes[-1].outcome == "refuted"
