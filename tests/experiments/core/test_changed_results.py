"""Results read back: texts stay texts, and what was changed in a file is named and used for nothing."""

import json
import math

import pytest

from controller.model.errors import MeasureError
from experiments.cli.main import main
from experiments.core.format2 import is_written
from experiments.core.question import Question, integer, number, text
from experiments.core.results import Recorder, read
from experiments.core.suite import begin_suite
from experiments.show.pages.redraw import redraw, redraw_suite
from tests.experiments.small_run import write_run

NAMES = (
    *("nan", "NaN", "inf", "-inf", "null", "None", "true", "007", "1e5", "1_0", "+7", " 7", "٧", "0x1"),
    *("a,b", 'a"b', '"', "'", "a\nb", "a\r\nb", "é", "#", "=1+1", "\\", "-", "  ", "1.0", "1."),
)  # fmt: skip
QUESTION = Question(
    name="hosts",
    question="?",
    unit="ms",
    value="ms",
    factors={"host": NAMES},
    columns={"host": text("the host"), "ms": number("time"), "n": integer("count")},
    predictions=(),
)


def test_a_text_is_read_as_it_was_written(tmp_path):
    recorder = Recorder(tmp_path, "run", QUESTION.tables())
    recorder.about({"question": QUESTION.to_json(), "seed": 1, "predicted": [{"host": "nan"}]})
    recorder.samples({"repeat": 1, "order": 1, "host": name, "ms": 1.5, "n": 7} for name in NAMES)

    run = read(recorder.directory)

    assert tuple(run.samples["host"]) == NAMES
    assert tuple(run.predicted["host"]) == ("nan",)
    assert run.question == QUESTION


@pytest.mark.parametrize("name", NAMES)
def test_format_2_which_has_no_types_reads_only_what_python_writes_as_a_number(name):
    assert is_written(name) is (name == "1.0")


@pytest.mark.parametrize("value", [0, -7, 10**17, 0.1, -2.5, 1e-9, 1e300, 1e16, 5e-324])
def test_format_2_reads_each_number_that_python_writes(value):
    assert is_written(str(value))
    assert not is_written(str(math.nan))


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "results")


def refused(capsys, *words):
    """The one line on stderr."""
    status = main(list(map(str, words)))
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1), err
    return err


def change(folder, edit):
    about = json.loads((folder / "run.json").read_text())
    edit(about)
    (folder / "run.json").write_text(json.dumps(about))


def files_of(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "..", ".", "", "a/b", "a\0b", "A b", "x" * 41, "a\n"]
)
@pytest.mark.parametrize("key", ["name", "more", "report", "suite"])
def test_a_name_that_is_no_file_name_is_refused_and_nothing_is_written(
    capsys, tmp_path, run, key, name
):
    def edit(about):
        question = about["question"]
        if key == "more":
            question["more"] = {name: question["columns"]}
        elif key == "suite":
            about["suite"] = [name]
        else:
            question[key] = name

    change(run, edit)
    before = files_of(tmp_path)

    error = refused(capsys, "report", run)

    assert error.startswith(f"overlaylab: {run}")
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", ["report.html", "report.md", "toll.png", "toll.svg"])
@pytest.mark.parametrize("kind", ["link", "dangling", "folder"])
def test_a_link_in_place_of_an_output_is_refused(capsys, tmp_path, run, name, kind):
    redraw(run)
    victim = tmp_path / "victim"
    (run / name).unlink()
    if kind == "folder":
        (run / name).mkdir()
    else:
        (run / name).symlink_to(victim)
    if kind == "link":
        victim.write_text("precious")

    error = refused(capsys, "report", run)

    assert f"{run / name}: is a " in error
    assert "is not overwritten" in error
    assert not victim.exists() or victim.read_text() == "precious"
    assert victim.exists() == (kind == "link")
    assert not [each for each in files_of(run) if each.endswith(".new")]


def test_a_hard_link_of_a_report_keeps_its_text(run, tmp_path):
    redraw(run)
    other = tmp_path / "other"
    (run / "report.html").write_text("mine")
    other.hardlink_to(run / "report.html")

    redraw(run)

    assert other.read_text() == "mine"
    assert (run / "report.html").read_text() != "mine"


def test_a_run_of_a_suite_that_is_a_link_is_not_drawn(tmp_path):
    suite = begin_suite(tmp_path, "suite", ("toll",)).marked(status="complete")
    elsewhere = write_run(tmp_path / "elsewhere")
    (suite.directory / "toll").symlink_to(elsewhere)
    before = files_of(elsewhere)

    _, (chapter,), _ = redraw_suite(suite.directory)

    assert "symbolic link" in chapter.fault
    assert files_of(elsewhere) == before


@pytest.mark.parametrize(
    ("change_text", "found"),
    [
        ('"seed": NaN', "NaN, which is no number of JSON"),
        ('"seed": 1e999', "1e999, which is too large a number"),
        ('"seed": ' + "[" * 100_000, "too many brackets inside each other"),
        ('"seed": -1', "seed is -1; allowed: at least 0"),
        ('"seed": 1.5', "seed is 1.5; allowed: a whole number"),
        ('"seed": true', "seed is true; allowed: a whole number"),
        ('"seed": 7, "repeats": 0', "repeats is 0"),
        ('"seed": 7, "hosts": [1]', "hosts[0] is 1; allowed: text"),
        ('"seed": 7, "verdict": {"trusted": "x"}', "verdict is"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_run_json_is_named(capsys, run, change_text, found):
    path = run / "run.json"
    known = {"repeats": '"repeats": 6,', "hosts": '"hosts": [', "verdict": '"verdict": {'}
    text_ = path.read_text()
    for key, start in known.items():
        if f'"{key}"' in change_text:
            text_ = text_.replace(start, start.replace(key, f"old {key}"), 1)
    path.write_text(text_.replace('"seed": 7', change_text, 1))

    error = refused(capsys, "report", run)

    assert error.startswith(f"overlaylab: {path}: ")
    assert found in error


@pytest.mark.parametrize("cell", ["1_0", "1.0", "٧", " 1", "9" * 19, "1e3", "0x1", "x"])
def test_a_whole_number_is_written_in_digits(run, cell):
    table = run / "samples.csv"
    table.write_text(table.read_text().replace("\n1,", f"\n{cell},", 1))

    with pytest.raises(
        MeasureError, match=r"samples.csv, line 2, repeat: .*an integer, or nothing"
    ):
        read(run)


@pytest.mark.parametrize("name", ["run.json", "samples.csv"])
def test_a_device_in_place_of_a_file_is_refused_at_once(capsys, run, name):
    (run / name).unlink()
    (run / name).symlink_to("/dev/zero")

    error = refused(capsys, "report", run)

    assert "no run.json in it" in error or "not a regular file, but a device" in error


def test_names_of_a_run_are_shown_without_html_and_terminal_codes(capsys, run):
    change(run, lambda about: about.update(scenario="<script>alert(1)</script>\x1b[31m"))
    change(run, lambda about: about["question"]["predictions"][0].update(claim="a\x1b]0;x\x07 <b>"))

    assert main(["report", str(run)]) == 0

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "a\\x1b]0;x\\x07 <b>" in out
    for page in ("report.html", "report.md"):
        assert "<script>" not in (run / page).read_text()
        assert "&lt;script" in (run / page).read_text()
