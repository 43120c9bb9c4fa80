"""A told run in words: terminal, Markdown, JSON."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from experiments.cli.printed import print_chapter, print_overview
from experiments.report.chapter import Chapter
from experiments.report.markdown import markdown, suite_markdown
from experiments.report.text import document, paths, terminal_lines, to_json
from experiments.story import Grid, Held
from tests.pure.small_run import DOUBTED, small_told


def shown(told):
    console = Console(width=80)
    with console.capture() as captured:
        for line in terminal_lines(told):
            console.print(line, soft_wrap=isinstance(line, str), markup=False)
    return captured.get().splitlines()


def with_story(told, **changes):
    return replace(told, story=replace(told.story, **changes))


def test_a_terminal_shows_findings_table_prediction_and_verdict():
    assert [line.rstrip() for line in shown(small_told())] == [
        "gre-mesh is within ±0.05 ms of flat",
        "By level:",
        "level     median  lost|late",
        "flat       0.448          0",
        "gre-mesh   0.468        1|2",
        "Predicted beforehand:",
        "  confirmed  a tunnel adds 0 to 0.1 ms",
        "Verdict: trusted",
    ]


def test_an_untrusted_run_says_so_before_its_finding():
    lines = shown(small_told(verdict=DOUBTED))

    assert lines[:2] == ["Not to be trusted (why: below)", "gre-mesh is within ±0.05 ms of flat"]
    assert lines[-1] == (
        "Verdict: not to be trusted: CPU idle 20% in block 1, flat; wanted at least 50%"
    )


def test_a_run_that_never_came_to_a_verdict_is_not_trusted():
    assert shown(small_told(verdict=None))[-1] == (
        "Verdict: not to be trusted: no verdict was reached"
    )


def test_a_first_look_says_so():
    assert shown(small_told(quick=True))[-1] == "Verdict: trusted (first look)"


def test_no_line_of_words_is_wider_than_80_columns():
    long = Held(says="tunnel " * 30, because="", stands="undecided", found="gre-mesh " * 30)

    lines = shown(with_story(small_told(), held=(long,), findings=("finding " * 30,)))

    assert max(map(len, lines)) <= 80
    assert sum(line.count("tunnel") for line in lines) == 30


def test_what_was_found_instead_stands_below_a_refuted_prediction():
    held = (
        Held(says="one copy", because="", stands="refuted", found="two"),
        Held(says="no loss", because="", stands="not judged", found="none"),
    )

    lines = shown(with_story(small_told(), held=held))

    assert lines[-4:-1] == [
        "  refuted    one copy",
        "             found: two",
        "  not judged no loss",
    ]


def test_a_suite_ends_with_a_line_for_each_experiment(chapters, capsys):
    print_overview(chapters)

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["──", "all", "──"], ["toll", "trusted", "1", "confirmed"], ["mtu", "no", "result"], [],
    ]  # fmt: skip


def test_square_brackets_are_not_taken_for_markup(capsys):
    units = Grid(title="In [ms]", heads=("level", "[ms]"), rows=(("[red]", "[bold]1"),))
    told = with_story(small_told(), findings=("rtt [ms] is [red]",), grids=(units,))

    print_chapter(Chapter(name="toll", told=told), titled=True)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()[:5]]
    assert lines == [
        ["──", "toll", "──"], ["rtt", "[ms]", "is", "[red]"], ["In", "[ms]:"], ["level", "[ms]"], ["[red]", "[bold]1"],
    ]  # fmt: skip


def test_the_report_has_findings_question_prediction_figure_table_and_verdict():
    text = markdown(small_told(), folder="toll/")

    assert text.startswith("# toll\n\n* **gre-mesh is within ±0.05 ms of flat**\n\n")
    assert "**Verdict.** Trusted." in text
    assert "**Question.** What does a tunnel cost?" in text
    assert (
        "**Predicted beforehand.** a tunnel adds 0 to 0.1 ms. Because it only adds a header. "
        "**Confirmed.** gre-mesh adds 0.02 ms." in text
    )
    assert '![Boxes of "rtt"](toll/toll.png)' in text
    assert "| gre-mesh | 0.468 | 1\\|2 | - |" in text
    assert "6 blocks; scenario article. Seed 7." in text
    assert "`toll/samples.csv`" in text


def test_every_line_of_a_table_has_as_many_cells():
    lines = [line for line in markdown(small_told()).splitlines() if line.startswith("|")]

    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {5}


def test_the_report_of_an_untrusted_run_begins_with_the_doubt():
    told = small_told(verdict=DOUBTED)

    assert markdown(told).startswith(
        "# toll\n\n**Not to be trusted (why: below).**\n\n* **gre-mesh"
    )


@pytest.fixture
def chapters():
    return (
        Chapter(name="toll", told=small_told(), folder="toll/"),
        Chapter(name="mtu", fault="was not measured", folder="mtu/"),
    )


def test_a_suite_is_a_line_each_and_then_each(chapters):
    text = suite_markdown(chapters, "interrupted")

    assert text.startswith("# overlaylab: toll, mtu\n\n**This suite is not whole: Interrupted.**\n")
    assert "| [toll](#toll) | trusted | gre-mesh is within ±0.05 ms of flat | 1 confirmed |" in text
    assert "| [mtu](#mtu) | no result | was not measured |  |" in text
    assert '<a id="toll"></a>\n\n## toll\n' in text
    assert "## mtu\n\n**No result.** was not measured." in text
    assert "](toll/toll.png)" in text


def test_a_whole_suite_says_nothing_of_it(chapters):
    assert "not whole" not in suite_markdown(chapters[:1], "complete")


def test_the_document_is_json():
    files = {"directory": "/r", "report.html": "/r/report.html"}

    told = json.loads(json.dumps(to_json(small_told(), files)))

    assert (told["experiment"], told["directory"]) == ("toll", "/r")
    assert told["files"] == {"report.html": "/r/report.html"}
    assert told["findings"] == ["gre-mesh is within ±0.05 ms of flat"]
    assert told["verdict"]["trusted"] is True
    assert [each["stands"] for each in told["predictions"]] == ["confirmed"]


def test_the_document_keeps_what_failed_apart(chapters):
    told = replace(chapters[0], files={"directory": "/r/toll"})

    found = document((told, chapters[1]), {"status": "interrupted"})

    assert [each["experiment"] for each in found["runs"]] == ["toll"]
    assert found["faults"] == [{"experiment": "mtu", "fault": "was not measured"}]
    assert found["suite"] == {"status": "interrupted"}


def test_the_page_to_open_is_named_first():
    files = {"directory": "/r", "toll.png": "/r/toll.png", "report.html": "/r/report.html"}

    assert [kind for kind, _ in paths(files)] == ["report.html", "toll.png", "folder"]
