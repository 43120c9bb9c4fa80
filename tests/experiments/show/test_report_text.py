"""A report as terminal text, Markdown and JSON."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from experiments.cli.printed import print_chapter, print_overview
from experiments.show.pages import facts
from experiments.show.pages.chapter import LONG, Chapter
from experiments.show.pages.html import page
from experiments.show.pages.markdown import markdown, suite_markdown
from experiments.show.pages.text import document, paths, terminal_lines, to_json
from experiments.show.report import Outcome, Table
from tests.experiments.small_run import DOUBTED, SVG, small_report


def shown(report):
    console = Console(width=80)
    with console.capture() as captured:
        for line in terminal_lines(report):
            console.print(line, soft_wrap=isinstance(line, str), markup=False)
    return captured.get().splitlines()


def test_a_terminal_shows_findings_table_predictions_and_verdict():
    assert [line.rstrip() for line in shown(small_report())] == [
        "gre-mesh is within ±0.05 ms of flat",
        "By level:",
        "level     median  lost|late",
        "flat       0.448          0",
        "gre-mesh   0.468        1|2",
        "Predictions made before the run:",
        "  confirmed  a tunnel adds 0 to 0.1 ms",
        "Verdict: trusted: passed 2 quality checks (CPU idle 85%, at least 50%; no drops)",
    ]


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
    said = " ".join(" ".join(shown(small_report(quick=True))[-2:]).split())
    assert said.endswith(
        "Verdict: trusted (quick run): passed 2 quality checks (CPU idle 85%, at least 50%; no drops)"
    )


def test_no_line_of_text_is_wider_than_80_columns():
    long = Outcome(claim="tunnel " * 30, reason="", outcome="undecided", found="gre-mesh " * 30)

    lines = shown(replace(small_report(), outcomes=(long,), findings=("finding " * 30,)))

    assert max(map(len, lines)) <= 80
    assert sum(line.count("tunnel") for line in lines) == 30


def test_a_prediction_that_is_not_confirmed_shows_what_was_measured():
    outcomes = (
        Outcome(claim="one copy", reason="", outcome="refuted", found="two"),
        Outcome(claim="no loss", reason="", outcome="not judged", found="none (1 repeat)"),
        Outcome(claim="no gain", reason="", outcome="confirmed", found="none"),
    )

    lines = shown(replace(small_report(), outcomes=outcomes))

    assert lines[-6:-1] == [
        "  refuted    one copy",
        "             measured: two",
        "  not judged no loss",
        "             measured: none (1 repeat)",
        "  confirmed  no gain",
    ]


def test_predictions_about_other_modes_are_one_line():
    report = replace(small_report(), outcomes=())

    line = "1 more prediction is about modes that this run did not measure."
    assert line in shown(report)
    assert line in markdown(report)
    alone = Chapter(name="toll", report=report)
    figures = {"toll": SVG}
    assert line in page(alone, figures)
    assert to_json(report, {"directory": "d"})["predictions_left_out"] == 1
    assert "more prediction" not in "\n".join(shown(small_report()))


def test_a_suite_ends_with_a_line_for_each_experiment(chapters, capsys):
    print_overview(chapters)

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["──", "all", "──"],
        ["toll", "1", "confirmed", "trusted"],
        ["mtu", "no", "result"],
        [],
    ]


def test_square_brackets_are_not_markup(capsys):
    units = Table(title="In [ms]", heads=("level", "[ms]"), rows=(("[red]", "[bold]1"),))
    report = replace(small_report(), findings=("rtt [ms] is [red]",), tables=(units,))

    print_chapter(Chapter(name="toll", report=report), titled=True)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()[:5]]
    assert lines == [
        ["──", "toll", "──"],
        ["rtt", "[ms]", "is", "[red]"],
        ["In", "[ms]:"],
        ["level", "[ms]"],
        ["[red]", "[bold]1"],
    ]


def test_the_report_has_findings_question_prediction_figure_table_and_verdict():
    text = markdown(small_report(), folder="toll/")

    assert text.startswith("# toll\n\n* **gre-mesh is within ±0.05 ms of flat**\n\n")
    assert (
        "**Verdict.** Trusted: passed 2 quality checks (CPU idle 85%, at least 50%; no drops)."
        in text
    )
    assert "**Question.** What does a tunnel cost?" in text
    assert (
        "**Prediction.** A tunnel adds 0 to 0.1 ms. **Reason.** It only adds a header. "
        "**Confirmed.** gre-mesh adds 0.02 ms." in text
    )
    assert '![Boxes of "rtt"](toll/toll.png)' in text
    assert "| gre-mesh | 0.468 | 1\\|2 |\n" in text
    assert "6 repeats; scenario article. Seed 7." in text
    assert "`toll/samples.csv`" in text


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


def test_a_long_table_is_folded_below_its_summary():
    long, short = of_rows(LONG + 1, "2 <b>mismatches"), of_rows(LONG, "all match")

    text = markdown(replace(small_report(), tables=(short, long)))

    before, after = text.split("<details>")
    assert "**By cell.** In ms.\n\n| cell | result |\n" in before
    assert before.endswith("**By cell.** In ms.\n\n")
    summary = f"\n<summary>{LONG + 1} rows, 2 &lt;b&gt;mismatches</summary>\n\n| cell | result |\n"
    assert after.startswith(summary)
    assert f"| cell{LONG} | matches |\n\n</details>\n\n" in after
    assert "all match" not in text


def test_a_long_table_without_a_summary_is_folded_below_the_number_of_its_rows():
    text = markdown(replace(small_report(), tables=(of_rows(LONG + 1),)))

    assert f"<summary>{LONG + 1} rows</summary>" in text


def test_the_report_of_an_unreliable_run_begins_with_the_warning():
    report = small_report(verdict=DOUBTED)

    assert markdown(report).startswith(
        "# toll\n\n**Unreliable run; reasons below.**\n\n* **gre-mesh"
    )


@pytest.fixture
def chapters():
    return (
        Chapter(name="toll", report=small_report(), folder="toll/"),
        Chapter(name="mtu", fault="was not measured", folder="mtu/"),
    )


def test_a_suite_is_a_summary_and_then_each_report(chapters):
    text = suite_markdown(chapters, "interrupted")

    assert text.startswith(
        "# overlaylab: toll, mtu\n\n**This suite is incomplete: Interrupted.**\n"
    )
    assert "| [toll](#toll) | 1 confirmed | gre-mesh is within ±0.05 ms of flat | trusted |" in text
    assert "| [mtu](#mtu) |  | was not measured | no result |" in text
    assert '<a id="toll"></a>\n\n## toll\n' in text
    assert "## mtu\n\n**No result.** was not measured." in text
    assert "](toll/toll.png)" in text


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
    assert "incomplete" not in suite_markdown(chapters[:1], "complete")


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


def test_the_html_page_is_listed_first():
    files = {"directory": "/r", "toll.png": "/r/toll.png", "report.html": "/r/report.html"}

    assert [kind for kind, _ in paths(files)] == ["report.html", "toll.png", "folder"]
