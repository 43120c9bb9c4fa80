"""Standard streams that are closed, or whose reader ends early."""

import sys
from functools import cache

import pytest

from controller.system.commands import attempt
from tests.labs import ROOT

RUN = f"'{sys.executable}' '{ROOT}/experiments/run.py'"
FLOWS = "flows article --host controller --bridge br-tun"


@cache
def bash(script: str) -> tuple[int, str, str]:
    done = attempt("bash", "-c", f"set -o pipefail; {script}", timeout_s=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(
    ("command", "status"), [(FLOWS, 0), ("validate /nosuch", 2), ("nosuch", 2)]
)
def test_with_a_closed_stream_the_others_and_the_status_are_unchanged(command, status, closed):
    _, out, err = bash(f"{RUN} {command}")
    wanted_out = "" if ">&- " in f"{closed} " and closed != "2>&-" else out
    wanted_err = "" if "2>&-" in closed else err
    assert bash(f"{RUN} {command} {closed}") == (status, wanted_out, wanted_err)


def test_no_file_of_ours_gets_the_number_of_a_closed_stream():
    """A program that is started with one of them closed would write into our file."""
    code = "import os; from experiments.cli.streams import open_closed; open_closed(); "
    shown = (
        "print([os.readlink(f'/proc/self/fd/{n}') for n in range(3)], file=open('/dev/fd/9', 'w'))"
    )
    env = f"PYTHONPATH='{ROOT}' "
    status, out, err = bash(f"{env} '{sys.executable}' -c \"{code}{shown}\" 9>&1 >&- 2>&- <&-")
    assert (status, out, err) == (0, "['/dev/null', '/dev/null', '/dev/null']\n", "")


@pytest.mark.parametrize("command", [FLOWS, "list", "doctor", "--help", "validate article"])
def test_a_reader_that_has_ended_is_no_error(command):
    status, out, err = bash(f"{RUN} {command} | true")
    assert status in {0, 4, 141}  # 0 or 4: all was written before
    assert (out, err) == ("", "")


def test_errors_without_a_reader_are_no_traceback():
    assert bash(f"{{ {RUN} nosuch 2>&1; echo $? >&9; }} 9>&2 | true")[2] in {"2\n", "141\n"}
