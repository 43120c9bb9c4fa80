"""Files made under sudo belong to the caller."""

import os

import pytest

from controller.system import ownership


@pytest.mark.parametrize(
    ("environment", "euid", "ids"),
    [
        ({"SUDO_UID": "1000", "SUDO_GID": "100"}, 0, (1000, 100)),
        ({"SUDO_UID": "1000", "SUDO_GID": "100"}, 1000, None),
        ({"SUDO_UID": "1000"}, 0, None),
        ({"SUDO_UID": "root", "SUDO_GID": "0"}, 0, None),
        ({}, 0, None),
    ],
)
def test_the_caller_of_sudo(environment, euid, ids):
    assert ownership.caller(environment, euid) == ids


@pytest.fixture
def given(monkeypatch):
    """Record who would get what, instead of giving it."""
    calls = {}
    monkeypatch.setattr(ownership.os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        ownership.os,
        "chown",
        lambda path, uid, gid, *, follow_symlinks: calls.update(
            {path: (uid, gid, follow_symlinks)}
        ),
    )
    return calls


def test_a_whole_tree_changes_its_owner_and_no_link_is_followed(tmp_path, monkeypatch, given):
    monkeypatch.setitem(os.environ, "SUDO_UID", "1000")
    monkeypatch.setitem(os.environ, "SUDO_GID", "100")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    run = tmp_path / "run"
    (run / "raw").mkdir(parents=True)
    (run / "raw" / "ping.txt").touch()
    (run / "link").symlink_to(elsewhere)

    ownership.give_back(run)

    mine = (run, run / "raw", run / "raw" / "ping.txt", run / "link")
    assert given == dict.fromkeys(mine, (1000, 100, False))


def test_without_sudo_owners_do_not_change(tmp_path, monkeypatch, given):
    monkeypatch.delitem(os.environ, "SUDO_UID", raising=False)
    ownership.give_back(tmp_path)
    assert given == {}
