"""Nothing of the working directory is imported, run or read, whatever has a module's or program's name."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from controller.system.trusted import trusted
from experiments.cli.host_checks import OPTIONAL, PROGRAMS
from experiments.cli.needs import PYTHON
from tests.labs import ROOT, adopt_orphans, environment, nothing_left

RUN_PY = str(ROOT / "experiments" / "run.py")
OURS = ("controller", "topologies", "experiments", "overlaylab", "mininet", "sitecustomize")
READ = ("usercustomize", "ryu", "eventlet", "pytest", "setuptools", "run", "main", "app", "cli")
SHELL = ("sh", "bash", "env", "python", "python3", "git", "cat", "stty", "unshare", "id")
ENTRIES = ("", ".", "programs", "./programs")


@pytest.fixture
def trap(tmp_path):
    """A folder with a module and a program of every name that is used; each leaves `marks/NAME`."""
    folder = tmp_path / "trap"
    (folder / "programs").mkdir(parents=True)
    (marks := tmp_path / "marks").mkdir()
    modules = {*OURS, *READ, *PYTHON, *sys.stdlib_module_names, "oslo_config", "yaml"}
    for name in {each.split(".")[0] for each in modules}:
        text = f"open({str(marks / name)!r}, 'w').close()\nraise SystemExit('trapped')\n"
        (folder / f"{name}.py").write_text(text)
    for program in (*PROGRAMS, *OPTIONAL, *SHELL):
        for place in (folder, folder / "programs"):
            (place / program).write_text(f"#!/bin/sh\n>'{marks}/program-{program}'\nexit 9\n")
            (place / program).chmod(0o755)
    (folder / "trap.pth").write_text(f"import os; open({str(marks / 'pth')!r}, 'w').close()\n")
    os.mkfifo(folder / "matplotlibrc")  # to open it would block
    return folder


def from_trap(trap: Path, *argv: str, **more: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([*ENTRIES, os.environ["PATH"]])
    base = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    env = {**base, "PATH": path, **more}
    command = [sys.executable, RUN_PY, *argv]
    return subprocess.run(
        command, cwd=trap, env=env, capture_output=True, text=True, timeout=100, check=False
    )


def sprung(trap: Path) -> list[str]:
    return sorted(each.name for each in (trap.parent / "marks").iterdir())


def test_the_trap_works(trap):
    subprocess.run([sys.executable, "-c", "import cmd"], cwd=trap, capture_output=True, check=False)
    subprocess.run(["ip"], cwd=trap, env={"PATH": ":/nowhere"}, check=False)
    assert sprung(trap) == ["cmd", "program-ip"]


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (("validate", "article"), 0),
        (("flows", "article", "--host", "controller", "--bridge", "br-tun"), 0),
        (("list",), 0),
        (("doctor",), None),  # 0 or 4, as this machine is
    ],
)
def test_commands_without_a_lab_use_nothing_of_the_working_directory(trap, argv, status):
    done = from_trap(trap, *argv)
    assert done.returncode == status or status is None, done.stderr
    assert sprung(trap) == []


def test_a_report_does_not_read_the_matplotlibrc_of_the_working_directory(trap):
    run = next(
        file.parent for file in (ROOT / "results").rglob("run.json") if "walk" in str(file.parent)
    )
    shutil.copytree(run, copy := trap.parent / "copy")
    for picture in copy.glob("*.svg"):
        picture.unlink()
    done = from_trap(trap, "report", str(copy))
    assert done.returncode in {0, 3}, done.stderr
    assert list(copy.glob("*.svg"))
    assert sprung(trap) == []


def test_relative_entries_of_search_paths_are_dropped():
    found = trusted({"PATH": ":/bin:.:bin:/sbin:", "PYTHONPATH": ".", "HOME": ".", "LANG": "C"})
    assert found == {"PATH": "/bin:/sbin", "HOME": ".", "LANG": "C"}


def test_a_relative_pythonpath_is_dropped_before_the_command_starts(trap):
    """Python itself imports `sitecustomize` from there before any program can prevent it."""
    (trap / "sitecustomize.py").unlink()
    (trap / "usercustomize.py").unlink()
    for name in sys.stdlib_module_names:  # those too: what .pth files of packages import
        (trap / f"{name}.py").unlink(missing_ok=True)
    done = from_trap(trap, "validate", "article", PYTHONPATH=":.")
    assert done.returncode == 0, done.stderr
    assert sprung(trap) == []


@pytest.mark.root
def test_a_lab_uses_nothing_of_the_working_directory(trap, tmp_path, need_root):
    adopt_orphans()
    home, script = tmp_path / "labs", tmp_path / "script"
    script.write_text("ServerA ping -c1 -W1 ServerB\nsh true\npy net\n")
    labs = {"OVERLAYLAB_RUN": str(home)}
    with nothing_left(home):
        try:
            up = from_trap(trap, "up", "article", "--detach", "--name", "trapped", **labs)
            assert (up.returncode, up.stdout) == (0, "trapped\n"), up.stderr
            shell = from_trap(trap, "shell", "trapped", str(script), **labs)
            assert "1 received" in shell.stderr
            assert from_trap(trap, "status", "trapped", **labs).returncode == 0
            ping = ("exec", "trapped", "ServerA", "--", "ping", "-c1", "-W1", "172.16.166.125")
            assert from_trap(trap, *ping, **labs).returncode == 0
        finally:
            down = from_trap(trap, "down", "--all", **labs)
    assert down.returncode == 0, down.stderr
    assert sprung(trap) == []


@pytest.mark.root
def test_the_log_of_a_lab_that_could_not_start_is_kept_where_the_error_says(tmp_path, need_root):
    adopt_orphans()
    manager = tmp_path / "ryu-manager"
    manager.write_text("#!/bin/sh\necho 'no such luck'\nexit 1\n")
    manager.chmod(0o755)
    env = {**environment(tmp_path / "labs"), "OVERLAYLAB_RYU_MANAGER": str(manager)}
    with nothing_left(tmp_path / "labs"):
        done = subprocess.run(
            [sys.executable, RUN_PY, "up", "article", "--app", "ryu", "--detach"],
            env={**env, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    (log,) = re.findall(
        rf"Read ({re.escape(str(tmp_path))}/overlaylab-\S*/controller\.log)\.", done.stderr
    )
    assert Path(log).read_text() == "no such luck\n"
    assert Path(log).parent.stat().st_mode & 0o077 == 0
