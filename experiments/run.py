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
    """Have only the project's root in sys.path, not this file's folder or the working directory.

    Modules there would shadow others.  Returns whether PYTHONPATH named the working directory.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    relative = [entry for entry in given if given != [""] and not os.path.isabs(entry)]
    if relative:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, given))
    if sys.path and real(sys.path[0]) == real(""):  # of `python -m`
        relative.append(sys.path[0])
    dropped = [os.path.join(ROOT, "experiments"), ROOT] + [real(entry) for entry in relative]
    sys.path[:] = [ROOT] + [entry for entry in sys.path if real(entry) not in dropped]
    return given != [""] and not all(map(os.path.isabs, given))


def real(entry):
    """The real path of an entry of sys.path; the entry if the working directory was removed."""
    try:
        return os.path.realpath(entry or os.curdir)
    except OSError:
        return entry


def hand_over(again):
    """Replace this process by `.venv`'s Python, unless it already is or there is none.

    `again`: also if it already is, since modules may have been imported from a folder that is not ours.
    """
    python = os.path.join(VENV, "bin", "python")
    is_second_time = os.environ.pop(HANDED_OVER, "") == str(os.getpid())
    is_there_already = os.path.realpath(sys.prefix) == os.path.realpath(VENV)
    is_right = is_there_already and not again
    if is_second_time or is_right or not os.access(python, os.X_OK):
        return
    os.environ[HANDED_OVER] = str(os.getpid())
    if sys.stdout:  # it may be closed
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
    hand_over(again=fix_path())
    lack = lacking()
    if lack:
        is_root = getattr(os, "geteuid", lambda: 0)() == 0
        command = "make run" if is_root else "sudo make run"
        if sys.stderr:
            sys.stderr.write(
                "overlaylab: not set up (%s %s): run `%s` in %s\n"
                % (sys.executable, lack, command, ROOT)
            )
        return 4
    from experiments.cli.main import main as command_line

    return command_line()


def interruptible():
    """`main`; Ctrl-C while modules are imported, which takes seconds on a busy machine, is no traceback."""
    try:
        return main()
    except KeyboardInterrupt:
        if sys.stderr:
            sys.stderr.write("overlaylab: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(interruptible())
