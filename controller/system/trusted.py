"""Search paths without the working directory: a program or module in it would run as root."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

# Search paths of programs, libraries and Python modules; an empty or relative entry means the
# working directory, or a folder in it.
SEARCHED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
PROJECT = str(Path(__file__).resolve().parents[2])


def trusted(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without entries of search paths that depend on the working directory."""
    kept = {name: _absolute(environment[name]) for name in SEARCHED if name in environment}
    rest = {name: value for name, value in environment.items() if name not in SEARCHED}
    return {**rest, **{name: value for name, value in kept.items() if value}}


def _absolute(path: str) -> str:
    return os.pathsep.join(each for each in path.split(os.pathsep) if Path(each).is_absolute())


def _relative(path: str) -> Iterator[str]:
    return (each for each in path.split(os.pathsep) if not Path(each).is_absolute())


def ignore_working_directory() -> None:
    """Import and start nothing from the working directory from now on, in this process."""
    dropped: set[str] = set()
    if entries := os.environ.get("PYTHONPATH"):
        with suppress(FileNotFoundError):  # the working directory was removed
            # Python itself has made the relative entries absolute.
            dropped = {str(Path(each).absolute()) for each in _relative(entries)}
    sys.path[:] = [each for each in sys.path if Path(each).is_absolute() and each not in dropped]
    if PROJECT not in sys.path:  # a program that was started in the checkout
        sys.path.append(PROJECT)
    search = trusted(os.environ)
    for name in SEARCHED:
        os.environ.pop(name, None)
    os.environ.update(search)


@contextmanager
def in_root_directory() -> Iterator[None]:
    """Run the block in `/`, for a library that reads a file of the working directory."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir("/")
        yield
    finally:
        os.fchdir(here)
        os.close(here)
