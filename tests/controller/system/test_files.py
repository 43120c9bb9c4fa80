"""Files that users name: only regular ones are read, and links are not overwritten."""

import errno
import os
import socket
import time

import pytest

from controller.model.errors import ModelError
from controller.system import files


def read(path, most_bytes=100):
    return files.read_text(path, ModelError, where="it", most_bytes=most_bytes)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def refused(path, most_bytes=100):
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        read(path, most_bytes)
    assert time.monotonic() - started < 1.0
    return caught.value.found


def test_a_text_is_read_without_its_byte_order_mark(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf\xc3\xa9\r\n")

    assert read(tmp_path / "a") == "é\r\n"
    (tmp_path / "link").symlink_to("a")
    assert read(tmp_path / "link") == "é\r\n"


def special(folder):
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(folder / "socket"))
    (folder / "link").symlink_to("/dev/zero")
    return {
        "/dev/zero": "a device", "/dev/urandom": "a device", "/dev/tty": "a device",
        folder / "fifo": "a FIFO", folder / "socket": "a socket", folder: "a directory",
        folder / "link": "a device",
    }  # fmt: skip


def test_other_than_regular_files_are_refused_at_once(tmp_path):
    for path, kind in special(tmp_path).items():
        assert refused(tmp_path / path) == f"not a regular file, but {kind}"


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert len(read(tmp_path / "a")) == 100
    assert refused(tmp_path / "a", 99) == "larger than 99 bytes"
    assert refused(tmp_path / ("n" * 300)) == "cannot be read"
    assert refused(tmp_path / "a" / "b") == "cannot be read"
    assert refused(tmp_path / "no") == "no such file"
    assert refused(tmp_path / "no\0") == "cannot be read"


def test_bytes_that_are_no_text_are_refused_with_their_place(tmp_path):
    (tmp_path / "a").write_bytes(b"x\n\xff")
    assert refused(tmp_path / "a") == "byte 0xff at offset 2 is not UTF-8"
    (tmp_path / "a").write_bytes(b"x\n\0")
    assert refused(tmp_path / "a") == "a zero byte in line 2"


def test_a_file_whose_name_is_not_utf8(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.yaml")
    path.write_text("x")
    assert read(path) == "x"
    assert files.printable(path.name) == "\\xff.yaml"


def test_printable_text_has_one_line_and_no_terminal_codes():
    assert files.printable("a b é €\n\t\x1b[31m\x85\u2028\ud800") == (
        "a b é €\\n\\t\\x1b[31m\\x85\\u2028\\ud800"
    )


def test_a_file_is_replaced_and_other_names_of_it_keep_the_old_content(tmp_path):
    path, other = tmp_path / "report.html", tmp_path / "other"
    files.replace_file(path, b"old")
    other.hardlink_to(path)

    files.replace_file(path, b"new")

    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"old")
    assert names(tmp_path) == ["other", "report.html"]


@pytest.mark.parametrize("kind", ["a symbolic link", "a dangling one", "a directory", "a FIFO"])
def test_only_a_regular_file_is_replaced(tmp_path, kind):
    target, path = tmp_path / "target", tmp_path / "report.html"
    if kind == "a directory":
        path.mkdir()
    elif kind == "a FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
    if kind == "a symbolic link":
        target.write_text("precious")

    with pytest.raises(OSError, match="is not overwritten") as caught:
        files.replace_file(path, b"new")

    assert caught.value.errno == errno.EEXIST
    assert target.exists() == (kind == "a symbolic link")
    assert not target.exists() or target.read_text() == "precious"
    assert set(names(tmp_path)) <= {"target", "report.html"}


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace_file(tmp_path / "report.html", b"new")

    assert not names(tmp_path)
