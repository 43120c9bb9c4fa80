"""The report of `latency` from the files of a made-up run: tables, findings, predictions, figures."""

import csv
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from experiments.core.results import read
from experiments.latency.analysis import analysed
from experiments.latency.question import QUESTION
from experiments.show.judge import of_all
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.text import terminal_lines
from experiments.show.report import range_text
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.latency.latency_run import MODES, made, written
from tests.experiments.seen_texts import assert_readable

LATENCY = replace(QUESTION, report="latency")
TUNNELS = [mode for mode in MODES if mode not in {"flat", "kvxlan-mesh"}]  # of Open vSwitch
UNRELIABLE = {"trusted": False, "reasons": ["CPU idle 3%; at least 50%"]}


@pytest.fixture(scope="module")
def rows():
    return made()


@pytest.fixture(scope="module")
def run(tmp_path_factory, rows):
    return report_on(read(written(tmp_path_factory.mktemp("latency"), rows, LATENCY)))


@pytest.fixture
def build_report(tmp_path):
    """The report of a run with these rows."""
    return lambda rows, **more: report_on(read(written(tmp_path, rows, LATENCY, **more)))


def table_of(report, title):
    (found,) = [each for each in report.tables if each.title == title]
    return [dict(zip(found.heads, row, strict=True)) for row in found.rows]


def draw(report, name):
    (picture,) = [each for each in report.pictures if each.name == name]
    with mpl.rc_context(fname=STYLE):
        figure = report.draw(picture)
        figure.draw_without_rendering()
    return figure


def artists(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def warm(rows, mode, **columns):
    wanted = {
        "mode": mode,
        "path": "guest",
        "phase": "warm",
        "interval_ms": 10,
        "payload_bytes": 56,
        **columns,
    }
    return [row["rtt_ms"] for row in rows if all(row[name] == it for name, it in wanted.items())]


def test_levels_are_modes_and_baselines_in_the_main_condition_only(run, rows):
    table = table_of(run, "By level")

    assert [row["level"] for row in table] == ["veth", "same-host", "vtep", *MODES]
    for row in table[3:]:
        expected = warm(rows, row["level"])
        assert row["samples"] == str(len(expected)) == "360"
        assert row["median"] == f"{np.median(expected):.3f}"
    veth = warm(rows, "flat", path="veth")
    assert (table[0]["samples"], table[0]["median"]) == ("180", f"{np.median(veth):.3f}")


def test_a_prediction_about_tunnels_is_not_compared_with_baselines(run):
    outcome = {row["level"]: row["prediction"] for row in table_of(run, "By level")}

    assert [outcome[level] for level in ("veth", "same-host", "vtep", "flat")] == ["-"] * 4
    assert outcome["gre-mesh"] in {"confirmed", "undecided"}
    assert "veth" not in run.outcomes[0].found


def test_effects_are_compared_with_margin_and_prediction(run):
    effects = {row["effect"]: row for row in table_of(run, "Effects")}

    assert list(effects) == [
        "encapsulation",
        "flooding",
        "interaction",
        "responder",
        "tunnel",
        "kernel",
    ]
    assert effects["kernel"]["which"] == "kvxlan minus vxlan, mesh alone"
    assert (effects["kernel"]["conclusion"], effects["kernel"]["prediction"]) == (
        "lower",
        "confirmed",
    )
    assert effects["encapsulation"]["which"] == "gre minus vxlan, mean of mesh and l2pop"
    assert effects["encapsulation"]["conclusion"] == "no difference that matters"
    assert effects["encapsulation"]["prediction"] == "confirmed"
    assert effects["interaction"]["prediction"] == "-"
    line = run.findings[1]
    assert (
        line
        == f"GRE and VXLAN differ by {effects['encapsulation']['its interval']} ms (GRE minus VXLAN, "
        "95% interval), within the margin of ±0.05 ms"
    )


def test_a_true_effect_is_found_and_refutes_the_prediction(build_report):
    found = build_report(made(effects={"gre": 0.2}))

    (effect, *_) = table_of(found, "Effects")
    assert (effect["conclusion"], effect["prediction"]) == ("higher", "refuted")
    assert abs(float(effect["estimate"]) - 0.2) < 0.03
    assert found.findings[1].endswith(": GRE is higher by more than the margin of 0.05 ms")
    assert outcomes(found)["encapsulation"].outcome == "refuted"


def test_the_tally_begins_with_the_main_effects_then_what_is_not_confirmed(build_report):
    found = build_report(made(effects={"gre": 0.2}))

    tally = Chapter(name="latency", report=found).tally.split("; ")
    assert tally[:3] == [
        "gre to vxlan: refuted",
        "l2pop to mesh: confirmed",
        "tunnel to flat: refuted",
    ]
    assert tally[-1].endswith(" confirmed")
    names = {each.name: each.is_main for each in found.outcomes}
    assert [name for name, is_main in names.items() if is_main] == ["gre to vxlan", "l2pop to mesh"]
    assert "first ping, guest-arp" in names


def test_a_prediction_about_all_levels_has_the_least_favourable_outcome():
    assert of_all(["confirmed", "refuted", "undecided"]) == "refuted"
    assert of_all(["confirmed", "undecided"]) == "undecided"
    assert of_all(["confirmed", "confirmed"]) == "confirmed"


def test_a_prediction_about_all_tunnels_lists_the_difference_of_each(build_report):
    found = build_report(made(effects={"gre": 0.3}))

    first, rows = outcomes(found)["baseline"], table_of(found, "By level")
    assert first.outcome == "refuted"
    for row in rows:
        if row["level"] in TUNNELS:
            word = "" if row["prediction"] == "refuted" else f" {row['prediction']}"
            assert f"{row['level']} {row['to flat']}{word}" in first.found.removesuffix(
                " [ms]"
            ).split(", ")


def outcomes(report):
    """The outcome of each prediction, by its subject."""
    names = {each.claim: each.about for each in report.run.question.predictions}
    return {names[each.claim]: each for each in report.outcomes}


def test_every_prediction_has_an_outcome(run):
    found = outcomes(run)

    assert list(found) == [each.about for each in QUESTION.predictions]
    assert found["first ping, vtep-neighbour"].outcome == "confirmed"
    assert found["first ping, vtep-neighbour"].found == "60 of 60 first pings lost"
    assert found["first ping, guest-arp"].outcome == "confirmed"
    assert "ms (" in found["first ping, guest-arp"].found


def test_an_unreliable_run_judges_no_prediction(build_report, rows):
    outcome = {each.outcome for each in build_report(rows, verdict=UNRELIABLE).outcomes}

    assert outcome == {"not judged"}


def test_a_prediction_of_loss_is_refuted_by_a_reply(build_report, rows):
    answered = [
        {**row, "rtt_ms": 1.5, "received_s": 1.0}
        if (row["cache"], row["repeat"], row["mode"]) == ("vtep-neighbour", 2, "gre-mesh")
        else row
        for row in rows
    ]

    found = outcomes(build_report(answered))["first ping, vtep-neighbour"]

    assert (found.outcome, found.found) == ("refuted", "58 of 60 first pings lost")


def test_first_pings_are_shown_by_mode_with_their_cost_compared_with_no_empty_cache(run, rows):
    table = {row["empty cache"]: row for row in table_of(run, "First pings by empty cache")}

    assert list(table) == [
        "new-lab",
        "kernel-new-lab",
        "guest-arp",
        "learned-flow",
        "megaflow",
        "vtep-neighbour",
        "kernel-guest-arp",
        "kernel-fdb",
        "none",
    ]
    mine = [row["rtt_ms"] for row in rows if (row["cache"], row["mode"]) == ("guest-arp", "flat")]
    assert table["guest-arp"]["flat"] == f"{np.median(mine):.3f}"
    assert abs(float(table["guest-arp"]["cost"]) - 0.9) < 0.15
    assert table["learned-flow"]["gre-l2pop"] == "-", "with l2population no flow is learned"
    assert table["vtep-neighbour"]["gre-mesh"] == "all 12 lost"
    assert table["vtep-neighbour"]["cost"] == "lost"
    assert table["none"]["conclusion"] == "baseline"
    megaflow = next(each for each in analysed(run.run).firsts if each.cache == "megaflow")
    low, high = megaflow.cost.interval.low, megaflow.cost.interval.high
    assert run.findings[-1] == (
        "An unknown VTEP loses the first ping (60 of 60); empty megaflow caches add "
        f"{low:.2f} to {high:.2f} ms"
    )


def test_a_cost_is_computed_in_each_repeat_from_pings_of_the_same_lab(build_report):
    place = {
        "path": "guest",
        "phase": "first",
        "interval_ms": 10,
        "payload_bytes": 56,
        "copies": 0,
        "received_s": 1.0,
        "order": 1,
    }
    first = [
        {**place, "repeat": repeat, "mode": mode, "cache": cache, "seq": 1, "rtt_ms": rtt}
        for repeat in (1, 2)
        for mode, warm, extra in (("flat", 1.0, 0.5), ("gre-mesh", 3.0, 1.5))
        for cache, rtt in (("none", repeat * warm), ("megaflow", repeat * warm + extra * repeat))
    ]
    rows = [row for row in made(repeats=2, modes=("flat", "gre-mesh")) if row["phase"] != "first"]

    table = {
        row["empty cache"]: row
        for row in table_of(build_report(rows + first), "First pings by empty cache")
    }

    assert table["megaflow"]["cost"] == "+1.500"  # the median of (0.5 + 1.5) / 2 and twice that


def test_warm_conditions_are_shown_separately_with_their_real_interval(run, rows):
    table = table_of(run, "Warm round trips by payload and interval")

    assert [(row["payload"], row["requested interval"], row["real interval"]) for row in table] == [
        ("56", "adaptive", "0.4 ms"),
        ("56", "10 ms", "16 ms"),
        ("1200", "10 ms", "16 ms"),
    ]
    repeats = [
        np.median(
            [
                row["rtt_ms"]
                for row in rows
                if row["repeat"] == repeat
                and row["mode"] == "flat"
                and row["payload_bytes"] == 1200
            ]
        )
        for repeat in range(1, 7)
    ]
    assert table[2]["flat"] == f"{np.median(repeats):.3f}"


def test_the_conditions_name_repeats_pings_interval_payload_and_software(run):
    assert run.conditions == (
        "6 repeats with new labs, 60 warm pings each, every 16 ms (requested: 10 ms), 56 bytes; "
        "OVS 3.1.0, datapath netdev, os-ken; scenario article"
    )


def test_the_terminal_output_fits_80_columns(run):
    lines = "\n".join(terminal_lines(Chapter(name="latency", report=run))).splitlines()

    assert lines[-1].startswith("Verdict: ")
    assert max(map(len, lines)) <= 80
    assert len(run.findings) <= 5


def test_the_main_figure_has_a_box_by_level_and_an_interval_for_each_effect_but_the_kernels(
    run, rows
):
    boxes, forest = draw(run, "latency").axes

    names = [text.get_text() for text in boxes.get_yticklabels()]
    assert names == ["veth pair", "within a host", "VTEP to VTEP", *MODES]
    for level in MODES:
        (median,) = artists(boxes, f"median {level}")
        assert median.get_xdata()[0] == pytest.approx(np.median(warm(rows, level)))
    assert boxes.get_xlim()[0] == 0
    labels = [text.get_text() for text in forest.get_yticklabels()]
    assert labels == [
        "gre minus vxlan",
        "l2pop minus mesh",
        "l2pop-arp minus l2pop",
        "tunnel minus flat",
    ]
    (interval,) = artists(forest, "interval gre minus vxlan")
    shown = "{:+.3f} to {:+.3f}".format(*interval.get_xdata())
    assert shown == table_of(run, "Effects")[0]["its interval"]
    (repeats,) = artists(forest, "repeats gre minus vxlan")
    assert len(repeats.get_xdata()) == 6
    assert forest.get_xlabel() == "difference of medians [ms]"


def test_each_effect_has_the_faint_band_of_its_prediction(run):
    forest = draw(run, "latency").axes[1]

    bands = {
        patch.get_gid(): (patch.get_x(), patch.get_x() + patch.get_width())
        for patch in forest.patches
    }
    assert bands["predicted gre minus vxlan"] == pytest.approx((-0.05, 0.05))
    assert "predicted tunnel minus flat" not in bands
    assert {line.get_xdata()[0] for line in artists(forest, "margin")} == {-0.05, 0.05}


def test_without_an_effect_the_differences_to_the_baseline_are_shown(build_report):
    found = build_report(made(modes=("flat", "geneve-mesh")))
    effects = [row["effect"] for row in table_of(found, "Effects")]
    _, forest = draw(found, "latency").axes

    assert effects == ["tunnel"]
    assert [text.get_text() for text in forest.get_yticklabels()] == ["tunnel minus flat"]


def test_the_distribution_has_a_band_for_tunnels_and_a_line_for_each_level_alone(run, rows):
    (ax,) = draw(run, "latency-ecdf").axes

    assert len(artists(ax, "curve OVS tunnels")) == 2
    (kernel,) = artists(ax, "curve kernel VXLAN")
    assert len(artists(ax, "curve veth pair")) == 1
    samples = np.array(warm(rows, "kvxlan-mesh"))
    for time, share in zip(*kernel.get_data(), strict=True):
        assert share == pytest.approx(np.mean(samples <= time))
    last = max(np.percentile(warm(rows, mode), 90) for mode in TUNNELS)
    assert f"OVS tunnels\n90%: {last:.2f} ms" in {text.get_text() for text in ax.texts}


def test_the_figure_of_empty_caches_has_costs_and_counts_lost_pings(run):
    (ax,) = draw(run, "latency-cold").axes

    said = {text.get_gid(): text.get_text() for text in ax.texts}
    assert said["lost vtep-neighbour"].strip() == "60 of 60 pings lost"
    assert ax.get_yticklabels()[0].get_text() == "VTEP\nneighbour"
    table = {row["empty cache"]: row for row in table_of(run, "First pings by empty cache")}
    (dot,) = artists(ax, "estimate guest-arp")
    assert f"{dot.get_xdata()[0]:+.3f}" == table["guest-arp"]["cost"]
    (interval,) = artists(ax, "interval guest-arp")
    assert "{:+.3f} to {:+.3f}".format(*interval.get_xdata()) == table["guest-arp"]["its interval"]
    assert not artists(ax, "estimate none")
    bands = {patch.get_gid(): patch for patch in ax.patches}
    assert bands["predicted guest-arp"].get_x() == pytest.approx(0.05)
    low, high = ax.get_xlim()
    for line in ax.lines:
        if str(line.get_gid()).startswith(("estimate", "interval")):
            assert low < min(line.get_xdata()) <= max(line.get_xdata()) < high


def test_conditions_are_at_their_true_places_by_family(run, rows):
    interval, payload = draw(run, "latency-conditions").axes

    assert interval.get_title(loc="left") == "Over interval, 56 bytes"
    assert payload.get_title(loc="left") == "Over payload, every 16 ms"
    (line,) = artists(payload, "measured OVS tunnels")
    assert list(line.get_xdata()) == [56, 1200]
    (kernel,) = artists(interval, "measured kernel VXLAN")
    assert kernel.get_xdata() == pytest.approx([0.4, 16], rel=0.1)
    medians = [np.median(warm(rows, "kvxlan-mesh", repeat=repeat)) for repeat in range(1, 7)]
    assert kernel.get_ydata()[-1] == pytest.approx(np.median(medians))
    assert interval.get_ylim()[0] == payload.get_ylim()[0] == 0


def test_titles_say_what_each_chart_shows(run):
    titles = {picture.name: picture.title for picture in run.pictures}

    levels = {row["level"]: float(row["median"]) for row in table_of(run, "By level")}
    tunnels = range_text((levels[mode] for mode in TUNNELS), ".2f")
    caches = {row["empty cache"]: row for row in table_of(run, "First pings by empty cache")}
    cost = float(caches["megaflow"]["cost"])
    assert titles == {
        "latency": f"Median ping: flat {levels['flat']:.2f} ms, OVS tunnels {tunnels} ms, "
        f"kernel VXLAN {levels['kvxlan-mesh']:.2f} ms",
        "latency-ecdf": titles["latency-ecdf"],
        "latency-cold": f"An unknown VTEP loses the first ping; empty megaflow caches add {cost:.1f} ms",
        "latency-conditions": titles["latency-conditions"],
    }
    assert titles["latency-ecdf"].startswith("90% of pings take at most: veth pair 0.")
    assert titles["latency-conditions"].startswith("OVS tunnels: a ping takes 0.")


def test_an_effect_of_size_is_in_the_title_of_conditions(build_report, rows):
    slow = [
        {**row, "rtt_ms": row["rtt_ms"] + 0.4}
        if row["payload_bytes"] == 1200 and row["rtt_ms"]
        else row
        for row in rows
    ]
    titles = {each.name: each.title for each in build_report(slow).pictures}

    assert "whatever its size" not in titles["latency-conditions"]
    assert "1200 bytes: " in titles["latency-conditions"]


FEW = [("gre-mesh", "vxlan-mesh"), ("kvxlan-mesh",), ("flat",), ("mesh", "l2pop-arp"), MODES]


@pytest.mark.parametrize("repeats", [1, 6])
@pytest.mark.parametrize("modes", FEW)
def test_every_figure_is_readable_with_any_modes_and_repeats(build_report, modes, repeats):
    found = build_report(made(modes=modes, repeats=repeats))

    for picture in found.pictures:
        with mpl.rc_context(fname=STYLE):
            assert_readable(found.draw(picture), at_least=5)
        assert picture.title
        assert "nan" not in picture.title


def test_one_changed_sample_changes_table_and_figure(tmp_path, rows):
    directory = written(tmp_path, rows, LATENCY)
    before = report_on(read(directory))
    path = directory / "samples.csv"
    lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    changed = next(line for line in lines if line["path"] == "veth")
    changed["rtt_ms"] = "77.0"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)

    after = report_on(read(directory))

    differ = [
        (one, other)
        for one, other in zip(
            table_of(before, "By level"), table_of(after, "By level"), strict=True
        )
        if one != other
    ]
    assert [one["level"] for one, _ in differ] == ["veth"]
    assert differ[0][1]["max"] == "77.000"
    shares = [
        artists(draw(each, "latency-ecdf").axes[0], "curve veth pair")[0].get_ydata()[-1]
        for each in (before, after)
    ]
    assert shares == [1, 179 / 180]


def test_a_lab_without_rows_is_left_out_of_table_and_figure(build_report, rows):
    kept = [row for row in rows if (row["repeat"], row["mode"]) != (2, "gre-mesh")]
    found = build_report(kept)

    table = {row["level"]: row for row in table_of(found, "By level")}
    assert table["gre-mesh"]["its interval"] == "-", "five pairs of repeats are too few"
    assert table["gre-l2pop"]["its interval"] != "-"
    (median,) = artists(draw(found, "latency").axes[0], "median gre-mesh")
    assert median.get_xdata()[0] == pytest.approx(np.median(warm(kept, "gre-mesh")))
    assert found.conditions.startswith("6 repeats")


def test_a_quick_run_has_no_intervals_and_no_forest_plot(build_report):
    found = build_report(made(repeats=1), quick=True)

    effects, note = found.findings[1:4], found.findings[4]
    assert all(each.endswith(") in this run") for each in effects)
    assert all(" differ by " in each and " ms (" in each for each in effects)
    assert note == "Quick run, one repeat: no confidence intervals"
    assert {each.outcome for each in found.outcomes if "lost" not in each.found} == {"not judged"}
    assert len(draw(found, "latency").axes) == 1


def test_effects_whose_modes_were_not_measured_are_left_out(build_report):
    found = build_report(made(modes=("flat", "gre-mesh")))

    assert [row["effect"] for row in table_of(found, "Effects")] == ["tunnel"]
    assert "encapsulation" not in outcomes(found)
    assert "baseline" in outcomes(found)
    assert found.left_out == len(QUESTION.predictions) - len(found.outcomes)
    assert draw(found, "latency")


PAIR = ["gre-mesh", "vxlan-mesh"]


def named(build_report, modes, **more):
    about = {name: more.pop(name) for name in ("quick",) if name in more}
    return build_report(made(modes=modes, **more), named_modes=modes, **about)


@pytest.mark.parametrize(
    ("effects", "finding"),
    [
        ({"vxlan": 0.3}, r"A ping takes 0\.\d+ ms longer with vxlan-mesh than with gre-mesh"),
        ({"gre": 0.3}, r"A ping takes 0\.\d+ ms less with vxlan-mesh than with gre-mesh"),
        ({}, r"A ping takes the same time with vxlan-mesh and with gre-mesh, within 0.05 ms"),
    ],
)
def test_the_first_finding_is_the_difference_of_the_named_modes(build_report, effects, finding):
    found = named(build_report, PAIR, effects=effects, pings=400)

    assert re.fullmatch(finding, found.pictures[0].title), "the interval is in the chart"
    span = r"[+-]0\.\d{3}"
    assert re.fullmatch(rf"{finding} \(95% interval {span} to {span} ms\)", found.findings[0])
    assert [each["difference"] for each in found.data if "difference" in each] == [
        "vxlan-mesh minus gre-mesh"
    ]
    assert not any("GRE and VXLAN differ" in each for each in found.findings), "the same, once more"


def test_named_modes_are_lines_of_their_own_and_their_difference_is_drawn(build_report):
    found = named(build_report, PAIR, effects={"vxlan": 0.3})

    _, forest = draw(found, "latency").axes
    assert [text.get_text() for text in forest.get_yticklabels()] == ["vxlan-mesh\nminus gre-mesh"]
    (dot,) = artists(forest, "estimate vxlan-mesh")
    assert dot.get_xdata()[0] == pytest.approx(0.3, abs=0.03)
    (ecdf,) = draw(found, "latency-ecdf").axes
    interval, _ = draw(found, "latency-conditions").axes
    for mode in PAIR:
        assert len(artists(ecdf, f"curve {mode}")) == 1
        assert len(artists(interval, f"measured {mode}")) == 1
    titles = {each.name: each.title for each in found.pictures}
    assert all(mode in titles["latency-conditions"] for mode in PAIR)
    for picture in found.pictures:
        with mpl.rc_context(fname=STYLE):
            assert_readable(found.draw(picture), at_least=5)


def test_only_the_predictions_about_the_named_modes_are_listed(build_report):
    found = named(build_report, PAIR)

    first = {"new-lab", "guest-arp", "learned-flow", "megaflow", "vtep-neighbour"}
    assert set(outcomes(found)) == {"encapsulation", *(f"first ping, {each}" for each in first)}
    assert found.left_out == len(QUESTION.predictions) - 6


def test_a_quick_run_says_what_it_observed_and_confirms_nothing_that_takes_an_interval(
    build_report,
):
    found = named(build_report, PAIR, effects={"vxlan": 0.3}, repeats=1, quick=True)

    text = (
        r"A ping takes 0\.\d{3} ms longer with vxlan-mesh than with gre-mesh in this run \(medians "
        r"0\.\d{3} and 0\.\d{3} ms; half of the pings took 0\.\d{3} to 0\.\d{3} and 0\.\d{3} to "
        r"0\.\d{3} ms\)"
    )
    assert re.fullmatch(text, found.findings[0])
    assert "interval" not in found.findings[0]
    assert found.findings[1] == "Quick run, one repeat: no confidence intervals"
    judged = {about: each.outcome for about, each in outcomes(found).items()}
    assert judged.pop("first ping, vtep-neighbour") == "confirmed", "exact: every ping is lost"
    assert set(judged.values()) == {"not judged"}
    assert "no confidence interval" in outcomes(found)["encapsulation"].found


def test_more_than_two_modes_are_compared_with_the_first(build_report):
    found = named(build_report, ["flat", "gre-mesh", "kvxlan-mesh"])

    assert "longer with gre-mesh than with flat" in found.findings[0]
    assert "less with kvxlan-mesh than with flat" in found.findings[1]


def test_the_order_on_the_command_line_decides_what_is_compared_with_what(build_report):
    found = named(build_report, ["kvxlan-mesh", "gre-mesh"])

    assert "longer with gre-mesh than with kvxlan-mesh" in found.findings[0]


def test_a_single_named_mode_gets_its_median(build_report):
    found = named(build_report, ["gre-mesh"])

    assert re.fullmatch(
        r"gre-mesh: median 0\.\d{3} ms \(95% interval 0\.\d{3} to 0\.\d{3}\); name a second mode for "
        "a difference",
        found.findings[0],
    )
