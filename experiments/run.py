#!/usr/bin/env python3
"""The command line, from any Python and any folder: hands over to `.venv`, or says what makes it.

Only syntax that every Python reads, since it may be started by any.
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
    """Put the project's root where Python put this file's folder, whose modules would shadow others."""
    here = os.path.join(ROOT, "experiments")
    sys.path[:] = [ROOT] + [entry for entry in sys.path if real(entry) not in (here, ROOT)]


def real(entry):
    """Where an entry of sys.path leads; itself if the folder we stand in was removed."""
    try:
        return os.path.realpath(entry or os.curdir)
    except OSError:
        return entry


def hand_over():
    """Become `.venv`'s Python, unless this is it or there is none."""
    python = os.path.join(VENV, "bin", "python")
    is_second_time = os.environ.pop(HANDED_OVER, "") == str(os.getpid())
    is_there_already = os.path.realpath(sys.prefix) == os.path.realpath(VENV)
    if is_second_time or is_there_already or not os.access(python, os.X_OK):
        return
    os.environ[HANDED_OVER] = str(os.getpid())
    sys.stdout.flush()
    os.execv(python, [python, os.path.join(ROOT, "experiments", "run.py")] + sys.argv[1:])


def lacking():
    """What this Python lacks to run the program, in words; empty if nothing."""
    if sys.version_info < OLDEST:
        return "is older than %d.%d" % OLDEST
    import importlib.util

    from experiments.cli import needs

    def is_missing(name):
        try:
            return importlib.util.find_spec(name) is None
        except ImportError:  # of the package a dotted name is in
            return True

    missing = [needs.PYTHON[name] for name in sorted(needs.PYTHON) if is_missing(name)]
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
