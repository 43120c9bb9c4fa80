"""A run's files: what is written is what is read, and nothing is read that cannot be understood."""

import csv
import json
import os
from pathlib import Path

import pytest

from controller.model.errors import MeasureError, UsageError
from experiments.core.question import Question, number, text
from experiments.core.results import FORMAT, Recorder, read
from experiments.core.suite import begin_suite
from tests.experiments.made_runs import made

QUESTION = Question(
    name="latency",
    question="How long?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": ("flat", "vlan")},
    columns={"mode": text("the mode"), "rtt_ms": number("round-trip time")},
    predictions=(),
    more={"stages": {"stage": text("which part"), "latency_us": number("how long")}},
)
TABLES = QUESTION.tables()
ROWS = (
    {"repeat": 1, "order": 1, "mode": "flat", "rtt_ms": 0.25},
    {"repeat": 1, "order": 1, "mode": "flat", "rtt_ms": None},
)


@pytest.fixture
def recorder(tmp_path):
    recorder = Recorder(tmp_path / "results", "20260101T000000Z-latency", TABLES)
    recorder.about({"question": QUESTION.to_json(), "seed": 7})
    return recorder


def test_samples_are_read_as_written(recorder):
    recorder.samples(ROWS)

    run = read(recorder.directory)

    assert run.rows_of() == ROWS
    assert run.seed == 7
    assert run.question == QUESTION


def test_a_further_table_has_columns_of_its_own(recorder):
    row = {"repeat": 1, "order": 2, "mode": "flat", "stage": "wire", "latency_us": 4.5}
    recorder.samples([row], "stages")

    run = read(recorder.directory)
    assert (run.rows_of("samples"), run.rows_of("stages")) == ((), (row,))


def test_samples_are_on_disk_before_the_next_are_written(recorder):
    recorder.samples(ROWS[:1])
    with (recorder.directory / "samples.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            list(TABLES["samples"]),
            ["1", "1", "flat", "0.25"],
        ]


def test_an_undeclared_column_is_refused(recorder):
    with pytest.raises(
        MeasureError,
        match=r"samples.csv: column 'surprise' in a row of the probe; allowed: repeat, order, mode",
    ):
        recorder.samples([{**ROWS[0], "surprise": 2}])


def test_raw_output_keeps_its_place_and_every_byte(recorder):
    recorder.file("raw/01-01-flat/ping.txt", "64 bytes \u00b5\n\n")

    assert (recorder.directory / "raw/01-01-flat/ping.txt").read_bytes() == b"64 bytes \xc2\xb5\n\n"


def test_run_json_is_replaced_whole(recorder):
    recorder.about({"status": "complete"})

    assert json.loads((recorder.directory / "run.json").read_text()) == {
        "format": FORMAT,
        "status": "complete",
    }
    assert sorted(path.name for path in recorder.directory.iterdir()) == [
        "raw",
        "run.json",
        "samples.csv",
        "stages.csv",
    ]


def test_two_runs_of_one_second_get_two_folders(tmp_path):
    made = {Recorder(tmp_path, "same", TABLES).directory.name for _ in range(3)}

    assert made == {"same", "same-2", "same-3"}


@pytest.mark.parametrize("found", [FORMAT + 1, FORMAT - 2, str(FORMAT), None])
def test_another_format_is_refused(recorder, found):
    path = recorder.directory / "run.json"
    path.write_text(json.dumps({"format": found}))

    with pytest.raises(MeasureError) as caught:
        read(recorder.directory)

    assert str(caught.value) == (
        f"{path}: format {found!r}; allowed: 2 or {FORMAT}. Read it with the overlaylab that wrote it."
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 2}', '{"format": 3}', '{"format": 3, "question": {"name": "x"}}'],
)
def test_a_broken_run_json_is_refused(recorder, text):
    (recorder.directory / "run.json").write_text(text)

    with pytest.raises(MeasureError, match=r"run\.json"):
        read(recorder.directory)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(MeasureError, match=r"run\.json: no such file"):
        read(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(UsageError, match=r"`--out DIR` names another"):
        Recorder(tmp_path / "file", "run", TABLES)


def test_a_full_disk_is_an_error(recorder):
    (recorder.directory / "samples.csv").unlink()
    (recorder.directory / "samples.csv").symlink_to("/dev/full")

    with pytest.raises(MeasureError, match="No space left on device"):
        recorder.samples(ROWS)


def test_all_new_files_get_the_owner_of_the_folder(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr("experiments.core.results.give_back", given.append)

    made = Recorder(tmp_path / "a" / "b", "run", TABLES)
    made.file("raw/01/ping.txt", "")
    made.about({})

    # The topmost folder made, with all below it; then what came later.
    assert given[0] == tmp_path / "a"
    assert made.directory / "raw/01" in given
    assert "run.json" not in str(given[1:])  # it has its owner before it has its name


def test_run_json_belongs_to_the_caller_of_sudo(recorder, monkeypatch):
    given = []
    monkeypatch.setattr("controller.system.files.caller", lambda *_: (1000, 1001))
    monkeypatch.setattr("os.fchown", lambda _, *owner: given.append(owner))

    recorder.about({})

    assert given == [(1000, 1001)]


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity"])
def test_a_cell_that_is_not_a_number_is_an_error_with_its_place(tmp_path, text):
    directory = made(tmp_path, "run")
    table = directory / "samples.csv"
    head, first, *rest = table.read_text().splitlines()
    at = head.split(",").index("rtt_ms")
    fields = first.split(",")
    fields[at] = text
    table.write_text("\n".join([head, ",".join(fields), *rest]) + "\n")

    with pytest.raises(MeasureError, match=r"samples.csv, line 2, rtt_ms: \S+; allowed: a finite"):
        read(directory)


def test_run_json_is_synced_before_and_its_folder_after_it_is_replaced(recorder, monkeypatch):
    """After a power cut the old file or the new one is there."""
    steps = []
    sync, rename = os.fsync, os.rename

    def synced(descriptor):
        steps.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        sync(descriptor)

    def renamed(old, new, *, src_dir_fd, dst_dir_fd):
        assert new == "run.json"
        steps.append(("rename", f"{Path(f'/proc/self/fd/{src_dir_fd}').readlink()}/{old}"))
        return rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr("os.rename", renamed)
    new = f"{recorder.directory}/.{os.getpid()}.new"
    wanted = [("sync", new), ("rename", new), ("sync", str(recorder.directory))]

    recorder.about({"status": "complete"})
    assert steps == wanted

    steps.clear()
    suite = begin_suite(recorder.directory.parent, "suite", ("latency",))
    new = f"{suite.directory}/.{os.getpid()}.new"
    assert steps == [("sync", new), ("rename", new), ("sync", str(suite.directory))]
