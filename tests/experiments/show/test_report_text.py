"""A told run in words: terminal, Markdown, JSON."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from experiments.cli.printed import print_chapter, print_overview
from experiments.show.pages import facts
from experiments.show.pages.chapter import LONG, Chapter
from experiments.show.pages.markdown import markdown, suite_markdown
from experiments.show.pages.text import document, paths, terminal_lines, to_json
from experiments.show.report import Outcome, Table
from tests.experiments.small_run import DOUBTED, small_report


def shown(report):
    console = Console(width=80)
    with console.capture() as captured:
        for line in terminal_lines(report):
            console.print(line, soft_wrap=isinstance(line, str), markup=False)
    return captured.get().splitlines()


def with_story(report, **changes):
    return replace(report, report=replace(report.report, **changes))


def test_a_terminal_shows_findings_table_prediction_and_verdict():
    assert [line.rstrip() for line in shown(small_report())] == [
        "gre-mesh is within ±0.05 ms of flat",
        "By level:",
        "level     median  lost|late",
        "flat       0.448          0",
        "gre-mesh   0.468        1|2",
        "Predicted beforehand:",
        "  confirmed  a tunnel adds 0 to 0.1 ms",
        "Verdict: trusted: it kept 2 limits (CPU idle 85%, at least 50%; no drops)",
    ]


def limits_kept(**about):
    return facts.verdict(small_report(**about)).partition("trusted: ")[2]


def test_trusted_says_which_limits_were_kept():
    windows = [{"length_s": 1.0, "cpu_steal": 0.024, "drops": 1}]
    limits = {
        "cpu_steal_max": 0.1,
        "drops_max": 2,
        "lost_max": 0,
        "duplicates_max": 3,
        "repeats_min": 6,
    }

    assert limits_kept(thresholds=limits, measured=[{"windows": windows}]) == (
        "it kept 5 limits (CPU steal 2.4%, at most 10%; drops 1, at most 2; no answers or packets "
        "unaccounted for; at most 3 duplicate answers; 6 blocks, at least 6)"
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
def test_trusted_by_no_limit_says_so(limits, measured):
    assert limits_kept(thresholds=limits, measured=measured) == (
        "no limit was set on what it measures"
    )


def test_an_untrusted_run_says_so_before_its_finding():
    lines = shown(small_report(verdict=DOUBTED))

    assert lines[:2] == ["Not to be trusted (why: below)", "gre-mesh is within ±0.05 ms of flat"]
    assert lines[-1] == (
        "Verdict: not to be trusted: CPU idle 20% in block 1, flat; wanted at least 50%"
    )


def test_a_run_that_never_came_to_a_verdict_is_not_trusted():
    assert shown(small_report(verdict=None))[-1] == (
        "Verdict: not to be trusted: no verdict was reached"
    )


def test_a_first_look_says_so():
    said = " ".join(" ".join(shown(small_report(quick=True))[-2:]).split())
    assert said.endswith(
        "Verdict: trusted (first look): it kept 2 limits (CPU idle 85%, at least 50%; no drops)"
    )


def test_no_line_of_words_is_wider_than_80_columns():
    long = Outcome(claim="tunnel " * 30, reason="", outcome="undecided", found="gre-mesh " * 30)

    lines = shown(with_story(small_report(), outcomes=(long,), findings=("finding " * 30,)))

    assert max(map(len, lines)) <= 80
    assert sum(line.count("tunnel") for line in lines) == 30


def test_what_was_found_instead_stands_below_a_refuted_prediction():
    outcomes = (
        Outcome(claim="one copy", reason="", outcome="refuted", found="two"),
        Outcome(claim="no loss", reason="", outcome="not judged", found="none"),
    )

    lines = shown(with_story(small_report(), outcomes=outcomes))

    assert lines[-4:-1] == [
        "  refuted    one copy",
        "             found: two",
        "  not judged no loss",
    ]


def test_a_suite_ends_with_a_line_for_each_experiment(chapters, capsys):
    print_overview(chapters)

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["──", "all", "──"],
        ["toll", "1", "confirmed", "trusted"],
        ["mtu", "no", "result"],
        [],
    ]


def test_square_brackets_are_not_taken_for_markup(capsys):
    units = Table(title="In [ms]", heads=("level", "[ms]"), rows=(("[red]", "[bold]1"),))
    report = with_story(small_report(), findings=("rtt [ms] is [red]",), tables=(units,))

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
    assert "**Verdict.** Trusted: it kept 2 limits (CPU idle 85%, at least 50%; no drops)." in text
    assert "**Question.** What does a tunnel cost?" in text
    assert (
        "**Predicted beforehand.** a tunnel adds 0 to 0.1 ms. Because it only adds a header. "
        "**Confirmed.** gre-mesh adds 0.02 ms." in text
    )
    assert '![Boxes of "rtt"](toll/toll.png)' in text
    assert "| gre-mesh | 0.468 | 1\\|2 |\n" in text
    assert "6 blocks; scenario article. Seed 7." in text
    assert "`toll/samples.csv`" in text


def test_every_line_of_a_table_has_as_many_cells_and_no_column_is_empty():
    lines = [line for line in markdown(small_report()).splitlines() if line.startswith("|")]

    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}
    assert lines[0] == "| level | median | lost\\|late |"


def of_rows(many, summary=""):
    rows = tuple((f"cell{at}", "equal") for at in range(many))
    return Table(title="By cell", heads=("cell", "is"), rows=rows, note="In ms.", summary=summary)


def test_a_long_table_is_folded_up_below_what_there_is_to_see_in_it():
    long, short = of_rows(LONG + 1, "2 not <as> foretold"), of_rows(LONG, "all as foretold")

    text = markdown(with_story(small_report(), tables=(short, long)))

    before, after = text.split("<details>")
    assert "**By cell.** In ms.\n\n| cell | is |\n" in before
    assert before.endswith("**By cell.** In ms.\n\n")
    summary = f"\n<summary>{LONG + 1} rows, 2 not &lt;as&gt; foretold</summary>\n\n| cell | is |\n"
    assert after.startswith(summary)
    assert f"| cell{LONG} | equal |\n\n</details>\n\n" in after
    assert "all as foretold" not in text


def test_a_table_that_foretold_nothing_is_folded_up_below_the_number_of_its_rows():
    text = markdown(with_story(small_report(), tables=(of_rows(LONG + 1),)))

    assert f"<summary>{LONG + 1} rows</summary>" in text


def test_the_report_of_an_untrusted_run_begins_with_the_doubt():
    report = small_report(verdict=DOUBTED)

    assert markdown(report).startswith(
        "# toll\n\n**Not to be trusted (why: below).**\n\n* **gre-mesh"
    )


@pytest.fixture
def chapters():
    return (
        Chapter(name="toll", report=small_report(), folder="toll/"),
        Chapter(name="mtu", fault="was not measured", folder="mtu/"),
    )


def test_a_suite_is_a_line_each_and_then_each(chapters):
    text = suite_markdown(chapters, "interrupted")

    assert text.startswith("# overlaylab: toll, mtu\n\n**This suite is not whole: Interrupted.**\n")
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
def test_a_tally_has_the_main_ones_first_and_names_what_is_not_confirmed(outcomes, tally):
    assert Chapter(name="toll", report=with_story(small_report(), outcomes=outcomes)).tally == tally


def test_a_whole_suite_says_nothing_of_it(chapters):
    assert "not whole" not in suite_markdown(chapters[:1], "complete")


def test_the_document_is_json():
    files = {"directory": "/r", "report.html": "/r/report.html"}

    report = json.loads(json.dumps(to_json(small_report(), files)))

    assert (report["experiment"], report["directory"]) == ("toll", "/r")
    assert report["files"] == {"report.html": "/r/report.html"}
    assert report["findings"] == ["gre-mesh is within ±0.05 ms of flat"]
    assert report["verdict"]["trusted"] is True
    assert [each["stands"] for each in report["predictions"]] == ["confirmed"]


def test_the_document_keeps_what_failed_apart(chapters):
    report = replace(chapters[0], files={"directory": "/r/toll"})

    found = document((report, chapters[1]), {"status": "interrupted"})

    assert [each["experiment"] for each in found["runs"]] == ["toll"]
    assert found["faults"] == [{"experiment": "mtu", "fault": "was not measured"}]
    assert found["suite"] == {"status": "interrupted"}


def test_the_page_to_open_is_named_first():
    files = {"directory": "/r", "toll.png": "/r/toll.png", "report.html": "/r/report.html"}

    assert [kind for kind, _ in paths(files)] == ["report.html", "toll.png", "folder"]
