"""The report of `walk`: the article's steps judged by captures, checks, round trips, pictures."""

import pytest

from controller.model.errors import MeasureError
from experiments.show.palette import BAD
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED, UNDECIDED
from experiments.walk.article import steps_of
from experiments.walk.legs import legs_of
from experiments.walk.report import build_report
from experiments.walk.words import EXACT, INEXACT, THERE, UNSEEN
from tests.experiments.walk.walk_run import walk_run


def outcomes(run):
    return {step.number: step.outcome for step in steps_of(run)}


def test_the_articles_steps_are_judged(tmp_path):
    found = outcomes(walk_run(tmp_path))
    assert [number for number, each in found.items() if each == INEXACT] == ["2.2", "2.4", "5.1"]
    assert len(found) == 11
    assert set(found.values()) == {EXACT, INEXACT}


def hop(way, number, **values):
    """A function that changes one row of `hops`."""

    def change(row):
        return {**row, **values} if (row["way"], row["hop"]) == (way, number) else row

    return change


@pytest.mark.parametrize(
    ("number", "change", "outcome"),
    [
        # a GRE header large enough for two addresses, and one that has them
        (
            "2.2",
            hop(
                THERE,
                4,
                frame_bytes=130,
                stack="IP 221.234.230.1 > 106.38.241.118 | GRE "
                "172.16.16.1 > 172.16.16.2 0x0800 | IP 192.168.1.123 > 10.100.0.123 | ICMP "
                "echo request",
            ),
            EXACT,
        ),
        # the source is still the PC's when the packet enters the tunnel
        ("2.4", hop(THERE, 3, stack="IP 192.168.1.123 > 10.100.0.123 | ICMP echo request"), EXACT),
        (
            "2.3",
            hop(
                THERE,
                4,
                stack="IP 221.234.230.9 > 106.38.241.118 | GRE 0x0800 | IP "
                "172.16.16.1 > 10.100.0.123 | ICMP echo request",
            ),
            INEXACT,
        ),
        ("3.1", hop(THERE, 6, ttl="64 63"), INEXACT),  # no router passed
        (
            "4.3",
            hop(
                THERE, 11, stack="IP 10.100.0.1 > 10.100.0.123 | ICMP echo request", eth_target="x"
            ),
            EXACT,
        ),
        ("4.3", hop(THERE, 11, stack="IP 172.16.16.1 > 10.100.0.123 | ICMP echo request"), INEXACT),
        ("2.1", hop(THERE, 1, eth_target="00:00:00:00:00:99"), INEXACT),
        ("1.1", hop(THERE, 3, stack=None, packets=0), EXACT),
        # GRE is added before the source is changed
        (
            "2.4",
            hop(THERE, 3, stack="GRE 0x0800 | IP 172.16.16.1 > 10.100.0.123 | ICMP echo request"),
            EXACT,
        ),
        ("5.1", hop(THERE, 12, eth_target="ff:ff:ff:ff:ff:ff"), EXACT),
        ("2.4", hop(THERE, 3, stack=None, packets=0), UNSEEN),
    ],
)
def test_a_step_is_judged_by_the_captures(tmp_path, number, change, outcome):
    assert outcomes(walk_run(tmp_path, change_hop=change))[number] == outcome


def test_the_last_hop_is_a_broadcast_if_another_station_receives_the_ping(tmp_path):
    assert outcomes(walk_run(tmp_path, desk={"desk_hears_ping": 1}))["5.1"] == EXACT


def test_the_last_hop_is_not_seen_if_no_other_station_receives_the_arp_request(tmp_path):
    assert outcomes(walk_run(tmp_path, desk={"desk_hears_arp": 0}))["5.1"] == UNSEEN


def test_legs_are_wires_and_tunnel_ends(tmp_path):
    assert [leg.where for leg in legs_of(walk_run(tmp_path), THERE, 1)] == [
        "pc - home-router",
        "home-router gre1",
        "home-router - isp1",
        "isp1 - isp2",
        "isp2 - office-router",
        "office-router gre1",
        "office-router - server",
    ]


def test_a_run_as_predicted_confirms_every_prediction(tmp_path):
    report = build_report(walk_run(tmp_path))
    assert {each.outcome for each in report.outcomes} == {CONFIRMED}
    assert not report.is_refuted
    assert report.findings == (
        "A ping through GRE, header by header: 3 of the article's 11 steps are inexact",
        "1468 bytes pass with DF; at 1469, 192.168.1.1 sends ICMP",
        "A router on the path can read 3 of 3 texts; 18 of 18 forged packets reach the server",
        "The tunnel changes a round trip to the same router by +0.010 to +0.010 ms (95% interval)",
        "50 of 50 checks match their prediction",
    )


def test_a_mismatch_refutes_only_its_own_prediction(tmp_path):
    report = build_report(walk_run(tmp_path, seen={"largest with DF": 1476}))
    (refuted,) = [each for each in report.outcomes if each.outcome == REFUTED]
    assert refuted.claim.startswith("1468 bytes pass")
    assert refuted.found == "5 of 6 checks match; largest with DF: 1476, not 1468"
    assert report.is_refuted
    assert report.findings[1] == "mtu largest with DF: 1476, predicted 1468"


def test_a_slow_tunnel_refutes_the_latency_prediction(tmp_path):
    report = build_report(walk_run(tmp_path, more_ms=1.0))
    assert [each.outcome for each in report.outcomes].count(REFUTED) == 1
    assert not report.is_refuted  # no exact prediction


def test_one_repeat_is_too_few_to_judge_the_latency(tmp_path):
    report = build_report(walk_run(tmp_path, repeats=1))
    latency = next(each for each in report.outcomes if "round trip" in each.claim)
    assert latency.outcome in {NOT_JUDGED, UNDECIDED}
    assert report.findings[-2].endswith("(no confidence interval)")


def test_on_a_busy_machine_only_the_latency_is_not_judged(tmp_path):
    busy = [{"windows": [{"length_s": 2.0, "cpu_idle": 0.05}, {"length_s": 1.0, "cpu_idle": 0.2}]}]
    report = build_report(walk_run(tmp_path, measured=busy))
    assert [each.outcome for each in report.outcomes].count(NOT_JUDGED) == 1
    assert "CPU only 10% idle" in report.findings[-2]


def test_no_prediction_of_an_unreliable_run_is_judged(tmp_path):
    report = build_report(walk_run(tmp_path, verdict={"trusted": False, "reasons": ["steal"]}))
    assert {each.outcome for each in report.outcomes} == {NOT_JUDGED}


def test_a_run_without_a_repeat_has_no_report(tmp_path):
    with pytest.raises(MeasureError, match="no packet that was followed"):
        build_report(walk_run(tmp_path, repeats=0))


def test_the_first_table_has_each_header_with_its_step(tmp_path):
    table = build_report(walk_run(tmp_path)).tables[0]
    marked = {row[3]: row[2] for row in table.rows if row[3]}
    assert marked == {
        "1.1": "IP 192.168.1.123 > 10.100.0.123",
        "2.4!": "IP 172.16.16.1 > 10.100.0.123",
        "2.3": "IP 221.234.230.1 > 106.38.241.118",
        "2.2!": "GRE 0x0800",
        "3.1": "IP 221.234.230.1 > 106.38.241.118",
        "4.1, 4.2": "IP 172.16.16.1 > 10.100.0.123",
        "4.3, 5.1!": "IP 10.100.0.1 > 10.100.0.123",
    }


def test_the_picture_has_a_box_for_each_header(tmp_path):
    report = build_report(walk_run(tmp_path))
    walk, _ = report.pictures
    there, back = report.draw(walk).axes
    for ax in (there, back):
        filled = [each for each in ax.patches if str(each.get_gid()).startswith("box")]
        assert len(filled) == 4 * 2 + 3 * 4
    texts = {each.get_gid(): each for each in there.texts}
    assert texts["box 2 0 line 0"].get_text() == "221.234.230.1"  # the outermost on the WAN
    assert texts["box 2 0 line 0"].get_position() < texts["box 2 2 line 0"].get_position()
    assert (texts["leg 1"].get_text(), texts["leg 2"].get_text()) == (
        "inside\nhome-router",
        "home-router\nto isp1",
    )
    changed = [gid for gid, each in texts.items() if "box" in str(gid) and each.get_color() == BAD]
    assert changed == ["box 1 0 line 0", "box 6 0 line 0"]  # the two SNATs


def test_the_picture_explains_each_inexact_step_below_its_leg(tmp_path):
    report = build_report(walk_run(tmp_path))
    there, back = report.draw(report.pictures[0]).axes

    notes = {each.get_gid(): each.get_text() for each in there.texts if "step" in each.get_text()}
    assert notes == {
        "note 1": "step 2.4 of the article: SNAT comes after GRE; seen: before it",
        "note 2": "step 2.2 of the article: GRE has two addresses; seen: it has none",
        "note 6": "step 5.1 of the article: it is broadcast; seen: ARP, then unicast",
    }
    assert not [each for each in back.texts if "step" in each.get_text()]
    below = {each.get_gid(): each.get_position()[1] for each in there.texts}
    assert below["leg 2"] < below["note 2"] < below["leg 3"]


def test_the_chart_of_round_trips_has_the_median_of_each_path(tmp_path):
    report = build_report(walk_run(tmp_path))
    _, latency = report.pictures
    (ax,) = report.draw(latency).axes

    assert latency.title == report.findings[3]
    medians = {line.get_gid(): line.get_xdata()[0] for line in ax.lines if line.get_gid()}
    assert len(medians) == 3
    shown = [text.get_text() for text in ax.texts]
    assert shown == [f"{median:.3f}" for median in medians.values()]
