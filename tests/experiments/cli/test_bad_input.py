"""Input that no one would write on purpose: one line that says what is wrong, and status 2."""

import json
import sys
from pathlib import Path

import pytest

from controller.model.errors import ModelError, UsageError
from controller.system import commands
from experiments.cli.main import main
from experiments.core.results import fresh_directory
from tests.experiments.made_runs import made
from tests.topologies.scenario.scenario_files import errors_of, with_two_hosts
from topologies.ledger import HOME_VARIABLE, claim
from topologies.scenario.load import load

ROOT = Path(__file__).resolve().parents[3]
ALLOWED_VALUES = "finite numbers, truth values and text as in YAML 1.2"
VALUES = {
    "a number": ("summary: !!int foo\n", "!!int 'foo'"),
    "a truth value": ("summary: !!bool foo\n", "!!bool 'foo'"),
    "not a number": ("summary: .nan\n", ".nan"),
    "infinity": ("summary: -.INF\n", "-.INF"),
    "more than a float holds": ("summary: 1e999\n", "1e999"),
    "more digits than Python reads": (f"summary: {'9' * 5000}\n", f"{'9' * 50}..."),
}
LONG = "x" * 300


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said(capsys, *words):
    """Status, and the one line on stderr."""
    status = main(list(map(str, words)))
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    return status, err.strip()


@pytest.mark.parametrize("what", VALUES)
def test_an_invalid_yaml_value_is_refused(what):
    text, found = VALUES[what]

    assert errors_of(text) == [
        f"s.yaml:1: invalid value ({found}); allowed: {ALLOWED_VALUES}. "
        "Correct it; put it in quotes if it is text."
    ]


def test_aliases_of_millions_of_values_are_refused():
    lists = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))

    assert errors_of("\n".join(["a0: &a0 [x]", *lists])) == [
        "s.yaml:6: more than 50000 values; allowed: 50000; the values of an alias "
        "(`*name`) count again. Remove some."
    ]


def test_an_anchor_twice_gives_no_python_warning(recwarn):
    errors_of("summary: &x a\nrelease: &x b\n")

    assert not recwarn.list


def test_a_text_in_place_of_a_number_is_refused():
    (error,) = errors_of(with_two_hosts("underlay: {shape: switch, delay_ms: soon}\n"))

    assert error == (
        "s.yaml:4: underlay.delay_ms: 'soon'; allowed: a number "
        "(milliseconds added to each packet that leaves a host). Correct the value."
    )


def test_a_file_name_with_a_zero_byte_is_refused():
    (error,) = errors_of(with_two_hosts('ml2_conf: {file: "a\\0b"}\n'))

    assert "cannot be read" in error


def test_a_scenario_with_too_long_a_name():
    with pytest.raises(ModelError) as caught:
        load(LONG)

    assert str(caught.value).startswith(
        f"scenario {LONG!r}: File name too long; allowed: article, "
    )


@pytest.mark.parametrize("words", [["report", LONG], ["compare", LONG, "."]])
def test_a_run_with_too_long_a_name(capsys, words):
    status, line = said(capsys, *words)

    assert status == 2
    assert line.startswith(f"overlaylab: {LONG}: File name too long; allowed: the folder of a run")


@pytest.mark.parametrize(
    ("key", "value"), [("seed", [1]), ("repeats", {}), ("source", 3), ("seed", None)]
)
def test_an_edited_run_gives_status_2(capsys, tmp_path, key, value):
    one, other = made(tmp_path, "a"), made(tmp_path, "b")
    about = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**about, key: value}))

    status, line = said(capsys, "compare", one, other)

    assert status == 2
    assert line.endswith("Undo what was changed in run.json or the tables, or measure again.")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["run", "fanout", "--scenario", ""], "scenario ''"),
        (["up", "article", "--mode", ""], "mode: ''"),
    ],
)
def test_an_empty_option_is_refused(capsys, monkeypatch, words, where):
    monkeypatch.setattr("os.geteuid", lambda: 1)  # should it get so far, no lab is raised

    status, line = said(capsys, *words)

    assert status == 2
    assert where in line


def test_an_empty_lab_name_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(UsageError, match="lab name: ''"):
        claim("")


def test_a_folder_that_cannot_be_made_gives_status_2(tmp_path):
    for place in (Path("/dev/null/x"), tmp_path / LONG):
        with pytest.raises(UsageError, match="`--out DIR` names another"):
            fresh_directory(place, "run")


@pytest.mark.parametrize("words", [["list"], ["validate", "article"], ["report", "x"]])
def test_a_working_folder_that_was_removed(tmp_path, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"{sys.executable} {ROOT}/experiments/run.py {' '.join(words)}"
    script = f"cd {gone} && rmdir {gone} && exec {program}"

    done = commands.attempt("sh", "-c", script, timeout_s=60)

    assert done.returncode in {1, 2}
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert done.stderr.startswith("overlaylab: ")
