"""The experiment `filter`: the texts of rules, predictions, and the report."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from controller.model.encap import NetworkType
from experiments.core.results import Recorder, read
from experiments.filter import labs, rules, words
from experiments.filter.grid import FLOWS, SEPARATION
from experiments.filter.path import RED, RED_BACK, SINKS, barrier
from experiments.filter.probe import EXPERIMENT as FILTER
from experiments.measure.frames import Mark, arrived, udp_frame
from experiments.show.reports import report_on
from topologies.scenario import load as scenario

VXLAN = rules.TenantFlow(
    network_type=NetworkType.VXLAN,
    segmentation_id=101,
    source=ip_address("10.5.0.1"),
    target=ip_address("10.5.0.2"),
)
GRE = replace(VXLAN, network_type=NetworkType.GRE)
GENEVE = replace(VXLAN, network_type=NetworkType.GENEVE)


@pytest.fixture(scope="module")
def overlay():
    return scenario.load("leaf-spine").overlay


@pytest.mark.parametrize(
    ("flow", "nft", "u32"),
    [
        (
            VXLAN,
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
def test_rules_on_inner_headers(flow, nft, u32):
    assert rules.by_inner_nft(flow) == nft
    assert rules.by_inner_u32(flow) == u32


@pytest.mark.parametrize(("flow", "head"), [(VXLAN, 16), (GENEVE, 16), (GRE, 8)])
def test_the_offsets_are_those_of_the_fields(overlay, flow, head):
    """Bytes of a frame after its tunnel header, at the offsets of the rule."""
    staged = labs.staged(overlay, {"mode": "vxlan-mesh"})
    frame = udp_frame(labs.flow(staged, 20001), Mark(b"12345678", 1, 0, 0))
    transport = bytes(head) + frame
    for text, wanted in zip(
        rules.by_inner_nft(flow, with_id=False).split("@th,")[1:],
        (flow.source, flow.target),
        strict=True,
    ):
        first, width = (int(part) // 8 for part in text.split()[0].split(","))
        assert transport[first : first + width] == wanted.packed


def test_a_ruleset_is_one_chain_that_accepts_the_rest():
    text = rules.nft("a drop", "b drop").text

    assert "type filter hook forward priority filter; policy accept;" in text
    assert text.index("a drop") < text.index("b drop")
    assert rules.iptables("-p gre -j DROP").text == (
        "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p gre -j DROP\nCOMMIT\n"
    )


def test_rules_whose_cost_is_measured_match_no_packet(overlay):
    command, text = labs.unmatched_ruleset(words.INNER_NFT, 100, NetworkType.VXLAN)

    assert command == "nft -f -"
    assert text.count(" drop") == 100
    assert f"@th,96,24 {labs.TENANTS['red']} " not in text
    assert (
        labs.unmatched_ruleset(words.INNER_U32, 100, NetworkType.GRE).text.count("-j DROP") == 100
    )


def test_two_tenants_with_the_same_addresses_on_the_same_hosts(overlay):
    staged = labs.staged(overlay, {"mode": "geneve-mesh"})

    assert [port.device_id for port in staged.ports] == ["red1", "red2", "blue1", "blue2"]
    assert staged.ports[0].fixed_ips == staged.ports[2].fixed_ips
    assert staged.ports[0].mac_address == staged.ports[2].mac_address
    assert {network.segmentation_id for network in staged.networks} == {101, 202}
    assert len({port.host for port in staged.ports}) == len(staged.hosts) == 2


def test_the_barrier_is_marked_and_goes_to_the_router_behind_the_firewall():
    for way in (RED, RED_BACK):
        frame = barrier(way, Mark(b"12345678", 1, 1, 0))
        assert frame[30:34] == ip_address(SINKS[way.behind]).packed
        assert arrived(frame, b"12345678").mark.flow == 1


def test_predicted_counts(overlay):
    rows = labs.predicted(overlay, FILTER.question.points())
    count = {(row["mode"], row["rule"], row["what"]): row["count"] for row in rows}

    assert ("gre-mesh", words.OUTER_FLOW, words.FLOW_A) not in count
    assert count["vxlan-mesh", words.OUTER_FLOW, words.OTHER_A] == 16
    assert {
        count[mode["mode"], words.INNER_NFT, words.FLOW_B] for mode in FILTER.question.points()
    } == {16}
    assert {
        count[mode["mode"], words.ADDRESSES, words.FLOW_B] for mode in FILTER.question.points()
    } == {0}
    assert (
        count["gre-mesh", words.CONNTRACK, words.ENTRIES],
        count["gre-mesh", words.CONNTRACK, words.REPLIED],
    ) == (1, 1)
    assert (
        count["kvxlan-mesh", words.CONNTRACK, words.ENTRIES],
        count["kvxlan-mesh", words.CONNTRACK, words.REPLIED],
    ) == (16, 0)


@pytest.fixture
def reported(tmp_path, overlay):
    """The report of a run as predicted, except for counts of some rules and the costs."""

    def reported(costs=None, repeats=1, **wrong):
        # By mode: microseconds per packet with 100 rules of nft, and without rules.
        costs = costs or {"vxlan-mesh": (4.0, 2.0)}
        question = FILTER.with_levels(mode=tuple(costs)).question
        predicted = [dict(row) for row in labs.predicted(overlay, question.points())]
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
        for repeat in range(1, repeats + 1):
            place = {"repeat": repeat, "order": 1}
            rows = [{**row, **place} for row in predicted]
            for row in rows if repeat == repeats else ():
                rule = row["rule"].replace(" ", "_").replace(",", "")
                row["count"] = wrong.get(rule, row["count"])
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
                    for mode, (slow, bare) in costs.items()
                    for rule, many, us in (
                        (words.NO_RULE, 0, bare),
                        (words.INNER_NFT, 1, 2.1),
                        (words.INNER_NFT, 100, slow),
                    )
                    for n in (1, 2, 3)
                ],
                "cost",
            )
        return report_on(read(recorder.directory))

    return reported


def test_the_report_of_a_run_as_predicted(reported):
    found = reported()

    assert found.findings == (
        SEPARATION,
        "100 rules on inner headers add 2.0 µs (nft) to a packet",
        "Without rules a packet takes 2.0 µs",
        "48 of 48 cells match their prediction",
    )
    assert [each.title for each in found.pictures] == list(found.findings[:2])
    assert {outcomes.outcome for outcomes in found.outcomes} == {"confirmed"}
    assert found.outcomes[-1].found == "true in 1 of 1 case"
    assert not found.is_refuted
    assert words_of(found)["inner addresses\nand id (nft)", "tenant B,\nsame flow"] == "passes"
    assert words_of(found)["outer addresses", "tenant B,\nsame flow"] == "stopped"


def words_of(found, kind="word"):
    """The words (`word`) or counts (`small`) of the chart, by row and column."""
    (ax,) = found.draw().axes
    rows, columns = (
        [label.get_text() for label in labels]
        for labels in (ax.get_yticklabels(), ax.get_xticklabels())
    )
    shown = [text for text in ax.texts if (text.get_fontweight() == "bold") == (kind == "word")]
    places = {text: text.get_position() for text in shown}
    return {(rows[round(y)], columns[x]): text.get_text() for text, (x, y) in places.items()}


def test_a_rule_that_passes_what_it_should_stop_refutes(reported):
    found = reported(outer_addresses=3)

    assert found.is_refuted
    assert [outcomes.outcome for outcomes in found.outcomes][:2] == ["refuted", "confirmed"]
    assert ("outer addresses", "tenant A", "3 (predicted 0)") in found.tables[0].rows
    assert SEPARATION not in found.findings
    assert found.pictures[0].title == found.findings[0] == "45 of 48 cells match their prediction"
    assert {words_of(found)["outer addresses", flow] for flow in FLOWS.values()} == {"differs"}


def test_the_chart_has_the_median_of_all_samples(reported):
    """Not of the distinct values: 0 twice and 8 once are 0."""
    found = reported(repeats=3, outer_addresses=8)

    assert words_of(found, "small")["outer addresses", "tenant A,\nthis flow"] == "0 of 16"
    assert ("outer addresses", "tenant A", "0, 8 (predicted 0)") in found.tables[0].rows


def test_the_costs_of_different_encapsulations_are_not_pooled(reported):
    found = reported({"vxlan-mesh": (4.0, 2.0), "gre-mesh": (2.6, 1.6)})
    hundred = [row for row in found.tables[1].rows if row[1] == "100"]

    assert found.findings[1:3] == (
        "100 rules on inner headers add 1.0 to 2.0 µs (nft) to a packet",
        "Without rules a packet takes 1.6 to 2.0 µs",
    )
    assert [row[2:4] for row in hundred] == [("vxlan-mesh", "4.00"), ("gre-mesh", "2.60")]
    assert [row[5:7] for row in hundred] == [("+2.00", "20"), ("+1.00", "10")]
    (ax,) = found.draw(found.pictures[1]).axes
    medians = [line for line in ax.lines if str(line.get_gid()).startswith("median")]
    assert sorted(line.get_xdata()[0] for line in medians)[-2:] == [2.6, 4.0]
    assert "2.6 to 4.0" in [text.get_text() for text in ax.texts]


def test_heads_of_tables_have_units_in_brackets(reported):
    heads = reported().tables[1].heads
    assert [head for head in heads if "[" in head] == [
        "median [µs]",
        "quartiles [µs]",
        "added [µs]",
        "per rule [ns]",
    ]


def test_the_timed_part_has_a_limit_of_stolen_time():
    assert FILTER.thresholds.cpu_steal_max == pytest.approx(0.1)


def test_rules_that_cost_nothing_refute_the_prediction(reported):
    assert reported({"vxlan-mesh": (1.9, 2.0)}).outcomes[-1].outcome == "refuted"
