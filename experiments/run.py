#!/usr/bin/env python3
"""Starts the command line with the Python of `.venv`, or prints how to set it up.

Any Python may start it, so it has only syntax that every Python can parse.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 10)
HANDED_OVER = (
    "OVERLAYLAB_HANDED_OVER"  # the pid, which execv keeps: no loop, and no child is misled
)


def fix_path():
    """Replace this file's folder in sys.path by the project's root: its modules would shadow others."""
    here = os.path.join(ROOT, "experiments")
    sys.path[:] = [ROOT] + [entry for entry in sys.path if real(entry) not in (here, ROOT)]


def real(entry):
    """The real path of an entry of sys.path; the entry if the working directory was removed."""
    try:
        return os.path.realpath(entry or os.curdir)
    except OSError:
        return entry


def hand_over():
    """Replace this process by `.venv`'s Python, unless it already is or there is none."""
    python = os.path.join(VENV, "bin", "python")
    is_second_time = os.environ.pop(HANDED_OVER, "") == str(os.getpid())
    is_there_already = os.path.realpath(sys.prefix) == os.path.realpath(VENV)
    if is_second_time or is_there_already or not os.access(python, os.X_OK):
        return
    os.environ[HANDED_OVER] = str(os.getpid())
    sys.stdout.flush()
    os.execv(python, [python, os.path.join(ROOT, "experiments", "run.py")] + sys.argv[1:])


def lacking():
    """What this Python lacks to run the program; empty if nothing."""
    if sys.version_info < OLDEST:
        return "is older than %d.%d" % OLDEST
    from experiments.cli.needs import PYTHON, is_importable

    missing = [PYTHON[name] for name in sorted(PYTHON) if not is_importable(name)]
    return "lacks " + ", ".join(missing) if missing else ""


def main():
    """Run the command line under the right Python; exit status 4 if there is none."""
    fix_path()
    hand_over()
    lack = lacking()
    if lack:
        is_root = getattr(os, "geteuid", lambda: 0)() == 0
        command = "make run" if is_root else "sudo make run"
        sys.stderr.write(
            "overlaylab: not set up (%s %s): run `%s` in %s\n"
            % (sys.executable, lack, command, ROOT)
        )
        return 4
    from experiments.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
