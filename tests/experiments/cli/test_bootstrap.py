"""`python experiments/run.py`: from any Python and any folder, under the right Python or not at all."""

import ast
import os
import shutil
import sys
from pathlib import Path

import pytest

from controller.system.commands import attempt
from experiments import run as bootstrap

ROOT = Path(__file__).resolve().parents[3]
# Stands for the command line: shows that it ran, as whom and with what, and exits with 3.
STAND_IN = """
import json, sys
from pathlib import Path
def main():
    print(json.dumps({"argv": sys.argv[1:], "path": sys.path, "queue": sys.modules.get("queue", None) and ""}))
    import queue
    assert "stray" not in Path(queue.__file__).parts, queue.__file__
    return 3
"""


@pytest.fixture
def clone(tmp_path):
    """A clone with the real bootstrap, a stand-in command line, and a module that would shadow."""
    root = tmp_path / "stray" / "clone of mine"
    (root / "experiments" / "cli").mkdir(parents=True)
    for name in ("run.py", "__init__.py", "cli/needs.py", "cli/__init__.py"):
        shutil.copy(ROOT / "experiments" / name, root / "experiments" / name)
    (root / "experiments" / "cli" / "main.py").write_text(STAND_IN)
    (root / "experiments" / "queue.py").write_text("raise SystemExit('shadowed')")
    return root


def venv_python(clone: Path, script: str) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def run_py(clone: Path) -> str:
    return str(clone / "experiments" / "run.py")


def assert_not_set_up(done, clone: Path, what: str) -> None:
    command = "make run" if os.geteuid() == 0 else "sudo make run"
    assert (done.returncode, done.stdout) == (4, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("overlaylab: not set up (")
    assert what in line
    assert line.endswith(f": run `{command}` in {clone}")


def test_without_an_environment_one_line_names_the_command(clone):
    done = attempt(sys.executable, "-S", "-E", run_py(clone))  # -S: no installed packages
    assert_not_set_up(done, clone, "lacks cattrs, click,")


def test_an_incomplete_environment_is_not_used(clone):
    venv_python(clone, f'exec "{sys.executable}" -S -E "$@"')
    assert_not_set_up(attempt(sys.executable, run_py(clone)), clone, "lacks cattrs, click,")


def test_a_python_with_all_packages_runs_the_command_line(clone):
    done = attempt(sys.executable, run_py(clone), "flows", "--help")
    assert (done.returncode, done.stderr) == (3, "")
    assert '"argv": ["flows", "--help"]' in done.stdout


def test_the_python_of_the_environment_gets_arguments_and_returns_the_status(clone):
    venv_python(clone, 'printf "%s|" "$@"; exit 7')
    done = attempt(sys.executable, run_py(clone), "run", "two words", "")
    assert (done.returncode, done.stdout) == (7, f"{run_py(clone)}|run|two words||")


def test_an_environment_with_another_prefix_is_entered_once(clone):
    venv_python(clone, f'exec "{sys.executable}" "$@"')  # its sys.prefix is not .venv
    assert attempt(sys.executable, run_py(clone)).returncode == 3


def test_a_child_process_can_change_to_the_environment_too(clone):
    venv_python(clone, "exit 7")
    done = attempt(sys.executable, run_py(clone), env={"OVERLAYLAB_HANDED_OVER": "1"})
    assert done.returncode == 7


@pytest.mark.parametrize("folder", [".", "experiments", "/"])
def test_its_folder_is_never_on_the_import_path(clone, folder):
    script = f"cd '{clone}' && cd {folder} && exec '{sys.executable}' '{run_py(clone)}'"
    done = attempt("sh", "-c", script)
    assert (done.returncode, done.stderr) == (3, "")
    assert f'"path": ["{clone}", ' in done.stdout
    assert f'"{clone}/experiments"' not in done.stdout


@pytest.mark.parametrize(
    ("folder", "how"), [(".", "-m experiments.run"), ("experiments", "-m run"), ("/", "LINK")]
)
def test_it_runs_as_a_module_and_through_a_link(clone, tmp_path, folder, how):
    link = tmp_path / "link.py"
    link.symlink_to(run_py(clone))
    words = how.replace("LINK", str(link))
    done = attempt("sh", "-c", f"cd '{clone}' && cd {folder} && exec '{sys.executable}' {words}")
    assert (done.returncode, done.stderr) == (3, "")
    assert f'"{clone}/experiments"' not in done.stdout


def test_an_import_error_of_the_program_is_not_reported_as_a_missing_package(clone):
    (clone / "experiments" / "cli" / "main.py").write_text("import no_such_module")
    done = attempt(sys.executable, run_py(clone))
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'no_such_module'" in done.stderr


def test_any_python_can_parse_it():
    source = (ROOT / "experiments" / "run.py").read_text(
        "ascii"
    )  # 2.7 wants a coding line for more
    tree = ast.parse(source, feature_version=(3, 4))
    newer = (
        ast.JoinedStr,
        ast.Starred,
        ast.Nonlocal,
        ast.AsyncFunctionDef,
        ast.AnnAssign,
        ast.NamedExpr,
    )
    assert [ast.dump(node) for node in ast.walk(tree) if isinstance(node, newer)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not any(node.returns or node.args.kwonlyargs for node in functions)
    assert not any(each.annotation for node in functions for each in node.args.args)


@pytest.mark.parametrize("old", ["python2.7", "python3.6", "python3.9"])
def test_an_old_python_is_reported_in_one_line(clone, old):
    if attempt("sh", "-c", f"{old} -c 'import sys'").returncode:
        pytest.skip(f"no {old} here")
    done = attempt(old, run_py(clone))
    assert_not_set_up(done, clone, "is older than 3.10")
    assert not list(clone.rglob("*.pyc"))


def test_ctrl_c_before_the_command_line_is_imported_is_no_traceback(capsys, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "main", interrupted)

    assert bootstrap.interruptible() == 130
    assert capsys.readouterr().err == "overlaylab: interrupted\n"
