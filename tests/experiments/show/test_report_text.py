"""A report as terminal text, Markdown and JSON."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.cli.printed import print_chapter, print_suite
from experiments.core.suite import Suite
from experiments.show.pages import facts
from experiments.show.pages.chapter import FEW, LONG, Chapter, verdicts
from experiments.show.pages.html import page
from experiments.show.pages.markdown import markdown, suite_markdown
from experiments.show.pages.text import document, terminal_lines, to_json
from experiments.show.report import Outcome, Table
from tests.experiments.small_run import DOUBTED, SVG, small_report


def shown(report, **more):
    lines = terminal_lines(Chapter(name="toll", report=report), **more)
    return "\n".join(lines).splitlines()


def test_a_terminal_shows_findings_counts_and_verdict():
    assert shown(small_report()) == [
        "gre-mesh is within ±0.05 ms of flat",
        "Predictions: 1 confirmed",
        "Verdict: trusted, passed 2 quality checks",
    ]


def test_a_chapter_of_a_suite_shows_the_first_findings():
    report = replace(small_report(), findings=("one", "two", "three"))

    assert shown(report)[:3] == ["one", "two", "three"]
    assert shown(report, most=2)[:3] == ["one", "two", "Predictions: 1 confirmed"]


def checks_passed(**about):
    return facts.verdict(small_report(**about)).partition("trusted: ")[2]


def test_the_verdict_lists_the_quality_checks():
    windows = [{"length_s": 1.0, "cpu_steal": 0.024, "drops": 1}]
    limits = {
        "cpu_steal_max": 0.1,
        "drops_max": 2,
        "lost_max": 0,
        "duplicates_max": 3,
        "repeats_min": 6,
    }

    assert checks_passed(thresholds=limits, measured=[{"windows": windows}]) == (
        "passed 5 quality checks (CPU steal 2.4%, at most 10%; drops 1, at most 2; no answers or packets "
        "unaccounted for; at most 3 duplicate answers; 6 repeats, at least 6)"
    )


@pytest.mark.parametrize(
    ("limits", "measured"),
    [
        ({"repeats_min": 1}, []),
        ({"cpu_steal_max": None}, []),
        ({}, []),
        ({"cpu_steal_max": 0.1}, [{"windows": []}]),  # nothing in it was timed
    ],
)
def test_a_verdict_without_quality_checks_says_so(limits, measured):
    assert checks_passed(thresholds=limits, measured=measured) == ("no quality check applies")


def test_an_unreliable_run_has_a_warning_before_its_finding():
    lines = shown(small_report(verdict=DOUBTED))

    assert lines[:2] == ["Unreliable run; reasons below", "gre-mesh is within ±0.05 ms of flat"]
    assert lines[-1] == ("Verdict: unreliable: CPU idle 20% in repeat 1, flat; wanted at least 50%")


def test_a_run_without_a_verdict_is_unreliable():
    assert shown(small_report(verdict=None))[-1] == ("Verdict: unreliable: no verdict was reached")


def test_a_quick_run_is_marked():
    assert shown(small_report(quick=True))[-1] == (
        "Verdict: trusted (quick run), passed 2 quality checks"
    )


def test_no_line_of_text_is_wider_than_80_columns():
    long = Outcome(claim="tunnel " * 30, reason="", outcome="refuted", found="gre-mesh " * 30)

    lines = shown(replace(small_report(), outcomes=(long,), findings=("finding " * 30,)))

    assert max(map(len, lines)) <= 80
    assert sum(line.count("tunnel") for line in lines) == 30
    assert sum(line.count("gre-mesh") for line in lines) == 30


def test_a_refuted_prediction_shows_what_was_measured():
    outcomes = (
        Outcome(claim="one copy", reason="", outcome="refuted", found="two"),
        Outcome(claim="no loss", reason="", outcome="not judged", found="none"),
    )

    lines = shown(replace(small_report(), outcomes=outcomes))

    assert lines[1:] == [
        "Refuted: one copy",
        "  measured: two",
        "Predictions: 1 refuted; 1 not judged",
        "Verdict: trusted, passed 2 quality checks",
    ]


def test_predictions_about_other_modes_are_one_line():
    report = replace(small_report(), outcomes=())

    line = "1 more prediction is about modes that this run did not measure."
    assert line in shown(report)
    assert line in markdown(report)
    assert line in page(Chapter(name="toll", report=report), {"toll": SVG})
    assert to_json(report, {"directory": "d"})["predictions_left_out"] == 1
    assert "more prediction" not in "\n".join(shown(small_report()))


def test_a_suite_ends_with_its_verdict_and_the_path_of_its_report(chapters, capsys):
    suite = Suite(Path("/r"), {"suite": ["toll", "mtu"], "status": "complete"})

    print_suite(suite, chapters, {"directory": "/r", "report.html": "/r/report.html"}, "text")

    assert capsys.readouterr().out.splitlines() == [
        "── all ──",
        "Verdict: 1 of 2 runs trusted; no result: mtu",
        "Report:  /r/report.html",
    ]


@pytest.mark.parametrize(
    ("about", "verdict"),
    [
        ({}, "1 of 1 run trusted"),
        ({"quick": True}, "1 of 1 run trusted; quick run: toll"),
        ({"verdict": DOUBTED}, "0 of 1 run trusted; unreliable: toll"),
    ],
)
def test_the_verdict_of_a_suite_names_what_limits_its_findings(about, verdict):
    assert verdicts([Chapter(name="toll", report=small_report(**about))]) == verdict


def test_square_brackets_are_not_markup(capsys):
    report = replace(small_report(), findings=("rtt [ms] is [red]",))

    print_chapter(Chapter(name="[b]", report=report), titled=True)

    assert capsys.readouterr().out.splitlines()[:2] == ["── [b] ──", "rtt [ms] is [red]"]


def test_the_report_has_its_findings_first_then_the_chart_then_folded_parts():
    text = markdown(small_report())

    places = [
        text.index(part)
        for part in (
            "# toll, 23 Nov 2026\n\nWhat does a tunnel cost?\n\nA &lt;fast> & good one, 2 CPUs, ",
            "Open vSwitch 3.1.0, datapath netdev (in user space), scenario article\n\n",
            "**Verdict: trusted.**\n\n* gre-mesh is within ±0.05 ms of flat.\n\n",
            '![Boxes of "rtt"](toll.png)',
            "<details>\n<summary>Predictions made before the run: 1 confirmed</summary>\n\n",
            "**Prediction.** A tunnel adds 0 to 0.1 ms. **Reason.** It only adds a header. "
            "**Confirmed.** gre-mesh adds 0.02 ms.",
            "</details>\n\n<details>\n<summary>Table: By level</summary>\n\nIn ms.\n\n| level ",
            "| gre-mesh | 0.468 | 1\\|2 |\n",
            "<summary>How it was measured</summary>\n\n6 repeats; scenario article. Seed 7.",
            "Trusted: passed 2 quality checks (CPU idle 85%, at least 50%; no drops).",
            "`samples.csv`",
        )
    ]
    assert places == sorted(places)


def test_every_line_of_a_table_has_as_many_cells_and_no_column_is_empty():
    lines = [line for line in markdown(small_report()).splitlines() if line.startswith("|")]

    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}
    assert lines[0] == "| level | median | lost\\|late |"


def of_rows(many, summary=""):
    rows = tuple((f"cell{at}", "matches") for at in range(many))
    return Table(
        title="By cell", heads=("cell", "result"), rows=rows, note="In ms.", summary=summary
    )


def test_the_fold_of_a_long_table_has_its_summary():
    long, short = of_rows(LONG + 1, "2 <b>mismatches"), of_rows(LONG, "all match")

    text = markdown(replace(small_report(), tables=(short, long)))

    assert "<summary>Table: By cell</summary>\n\nIn ms.\n\n| cell | result |\n" in text
    named = f"<summary>Table: By cell ({LONG + 1} rows, 2 &lt;b&gt;mismatches)</summary>\n\n"
    assert named in text
    assert f"| cell{LONG} | matches |\n\n</details>\n\n" in text
    assert "all match" not in text


def test_a_long_table_without_a_summary_has_the_number_of_its_rows():
    text = markdown(replace(small_report(), tables=(of_rows(LONG + 1),)))

    assert f"<summary>Table: By cell ({LONG + 1} rows)</summary>" in text


def test_the_report_of_an_unreliable_run_has_the_reasons_before_its_findings():
    text = markdown(small_report(verdict=DOUBTED))

    verdict = text.index("**Verdict: unreliable: CPU idle 20% in repeat 1, flat")
    assert verdict < text.index("* gre-mesh")


def test_a_refuted_prediction_is_not_folded():
    wrong = Outcome(claim="one copy", reason="", outcome="refuted", found="two")

    text = markdown(replace(small_report(), outcomes=(wrong,)))

    assert text.index("**Refuted.** Predicted: one copy. Measured: two.") < text.index("<details>")


@pytest.fixture
def chapters():
    return (
        Chapter(name="toll", report=small_report(), folder="toll/"),
        Chapter(name="mtu", fault="was not measured", folder="mtu/"),
    )


def test_a_suite_is_its_findings_and_then_each_report(chapters):
    text = suite_markdown(chapters, {"start": "2026-11-23T01:43:38Z", "status": "interrupted"})

    assert text.startswith(
        "# GRE and VXLAN overlays compared: toll, mtu, 23 Nov 2026\n\nA &lt;fast>"
    )
    assert (
        "**This suite is incomplete: Interrupted.**\n\n1 of 2 runs trusted; no result: mtu." in text
    )
    assert (
        "* [toll](#toll): gre-mesh is within ±0.05 ms of flat.\n"
        "* [mtu](#mtu): no result: was not measured.\n"
    ) in text
    assert (
        '<a id="toll"></a>\n\n## toll\n\nWhat does a tunnel cost?\n\n![Boxes of "rtt"](toll/toll.png)\n\n'
        "* gre-mesh is within ±0.05 ms of flat.\n\n<details>"
    ) in text
    assert "## mtu\n\n**No result.** was not measured." in text
    assert "`toll/samples.csv`" in text


def test_a_chapter_shows_three_findings_and_folds_the_rest():
    report = replace(small_report(), findings=("one", "two", "three", "four"))
    chapter = Chapter(name="toll", report=report, folder="toll/")

    text = suite_markdown([chapter], {"status": "complete"})

    assert (
        "* one.\n* two.\n* three.\n\n<details>\n<summary>1 more finding</summary>\n\n* four.\n"
        in text
    )


def test_the_top_of_a_large_suite_has_one_finding_of_each():
    report = replace(small_report(), findings=("one", "two", "three"))

    def tops(many):
        chapters = [Chapter(name=f"toll{at}", report=report) for at in range(many)]
        return [
            line for line in suite_markdown(chapters, {}).splitlines() if "[toll0](#toll0)" in line
        ]

    assert tops(FEW) == ["* [toll0](#toll0): one. two."]
    assert tops(FEW + 1) == ["* [toll0](#toll0): one."]


def test_a_quick_run_of_a_suite_is_marked(chapters):
    quick = Chapter(name="toll", report=small_report(quick=True))

    text = suite_markdown([quick], {"status": "complete"})

    assert "* [toll](#toll) (quick run): gre-mesh" in text
    assert "\n\nQuick run: no confidence intervals.\n\n![Boxes" in text


def outcomes(outcome, name="", *, is_main=False):
    return Outcome(claim="", reason="", outcome=outcome, found="", name=name, is_main=is_main)


@pytest.mark.parametrize(
    ("outcomes", "tally"),
    [
        ((), ""),
        ((outcomes("confirmed", "a"), outcomes("confirmed")), "2 confirmed"),
        (
            (outcomes("confirmed", "a"), outcomes("undecided", "b"), outcomes("refuted", "c")),
            "c: refuted; b: undecided; 1 confirmed",
        ),
        (
            (
                outcomes("refuted", "a"),
                outcomes("confirmed", "b", is_main=True),
                outcomes("undecided", "c"),
            ),
            "b: confirmed; a: refuted; c: undecided",
        ),
        (
            (outcomes("confirmed", "a"), *(outcomes("undecided", n, is_main=True) for n in "bc")),
            "b, c: undecided; 1 confirmed",
        ),
        (
            (outcomes("undecided", "a"), outcomes("undecided"), outcomes("mixed")),
            "a and 1 more: undecided; 1 mixed",
        ),
        ((outcomes("refuted"), outcomes("not judged", "a")), "1 refuted; 1 not judged"),
    ],
)
def test_a_tally_has_main_predictions_first_and_names_those_not_confirmed(outcomes, tally):
    assert Chapter(name="toll", report=replace(small_report(), outcomes=outcomes)).tally == tally


def test_a_complete_suite_has_no_warning(chapters):
    assert "incomplete" not in suite_markdown(chapters[:1], {"status": "complete"})


def test_the_document_is_json():
    files = {"directory": "/r", "report.html": "/r/report.html"}

    report = json.loads(json.dumps(to_json(small_report(), files)))

    assert (report["experiment"], report["directory"]) == ("toll", "/r")
    assert report["files"] == {"report.html": "/r/report.html"}
    assert report["findings"] == ["gre-mesh is within ±0.05 ms of flat"]
    assert report["verdict"]["trusted"] is True
    assert [each["outcome"] for each in report["predictions"]] == ["confirmed"]


def test_the_document_lists_failed_experiments_separately(chapters):
    report = replace(chapters[0], files={"directory": "/r/toll"})

    found = document((report, chapters[1]), {"status": "interrupted"})

    assert [each["experiment"] for each in found["runs"]] == ["toll"]
    assert found["faults"] == [{"experiment": "mtu", "fault": "was not measured"}]
    assert found["suite"] == {"status": "interrupted"}
