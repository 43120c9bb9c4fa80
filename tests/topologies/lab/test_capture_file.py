"""The file of a capture: a link in its place is not followed, and no other name is overwritten."""

import os
from pathlib import Path

import pytest

from controller.model.errors import UsageError
from topologies.lab.capture import _opened


def test_a_capture_replaces_a_plain_file(tmp_path):
    (tmp_path / "a").write_text("old")
    with _opened(tmp_path / "a") as file:
        file.write(b"new")
    with _opened(tmp_path / "b"):
        pass

    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "b").read_text() == ""


@pytest.mark.parametrize(
    ("kind", "found"), [("symbolic", "a symbolic link"), ("hard", "a hard link")]
)
def test_a_link_in_place_of_a_capture_is_refused(tmp_path, kind, found):
    (tmp_path / "precious").write_text("text")
    path = tmp_path / "link"
    path.symlink_to("precious") if kind == "symbolic" else path.hardlink_to(tmp_path / "precious")

    with pytest.raises(UsageError, match=found):
        _opened(path)

    assert (tmp_path / "precious").read_text() == "text"


def test_a_capture_into_a_device_and_into_own_output():
    with _opened(Path("/dev/null")) as file:
        file.write(b"x")
    reading, writing = os.pipe()
    with _opened(Path(f"/dev/fd/{writing}")) as file:
        file.write(b"x")
    os.close(writing)
    assert os.read(reading, 9) == b"x"
    os.close(reading)
