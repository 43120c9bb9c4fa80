"""Files made under sudo belong to the user who called it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def caller(environment: Mapping[str, str], euid: int) -> tuple[int, int] | None:
    """The user and group id that called sudo; None if this process does not run under sudo."""
    ids = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    if euid != 0 or not all(text.isdecimal() for text in ids):
        return None
    return int(ids[0]), int(ids[1])


def give_back(path: Path) -> None:
    """Give `path` and all below it to the caller of sudo; do nothing without sudo.

    Of a symbolic link the owner changes, not that of its target.
    """
    ids = caller(os.environ, os.geteuid())
    if ids is not None:
        for each in _tree(path):
            os.chown(each, *ids, follow_symlinks=False)


def _tree(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            yield from (Path(folder, name) for name in (*folders, *files))
