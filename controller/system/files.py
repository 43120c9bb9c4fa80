"""Files that users name: read without waiting and within a limit, replaced without following links."""

import errno
import os
import stat
from pathlib import Path

from controller.model.errors import OverlayError
from controller.system.ownership import caller

MOST_BYTES = 1_000_000  # a scenario of 1,000 ports has 110,000
KINDS = {  # by the file type bits of st_mode
    stat.S_IFDIR: "a directory",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a symbolic link",
}


def read_text(
    path: Path, error: type[OverlayError], *, where: str, most_bytes: int = MOST_BYTES
) -> str:
    """The text of a regular file, in UTF-8, without a byte order mark.

    Raises:
        error: it is no regular file, cannot be read, is larger than `most_bytes`, or is no text.
    """
    try:
        content = _read(path, most_bytes)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise error(
            f"byte {wrong.object[wrong.start]:#04x} at offset {wrong.start} is not UTF-8",
            where=where,
            allowed="text in UTF-8",
            do="Save the file as UTF-8.",
        ) from None
    except (OSError, ValueError) as wrong:  # ValueError: not a possible path
        raise error(
            _reason(wrong),
            where=where,
            allowed=f"a readable regular file of at most {most_bytes} bytes",
            do="Check its path (in a scenario: relative to the scenario file's folder), permissions and size.",
        ) from None
    if (at := text.find("\0")) >= 0:
        raise error(
            f"a zero byte in line {text.count(chr(10), 0, at) + 1}",
            where=where,
            allowed="text in UTF-8",
            do="Remove it, or name another file.",
        )
    return text


def _reason(wrong: OSError | ValueError) -> str:
    if isinstance(wrong, FileNotFoundError):
        return "no such file"
    if isinstance(wrong, OSError) and wrong.errno is None:
        return str(wrong)  # one of ours
    return "cannot be read"


def _read(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it is not one, is too large, or cannot be read.
    """
    _assert_regular(path.stat())  # to open a device may do something, and to open a FIFO may wait
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _assert_regular(os.fstat(descriptor))
        content = file.read(most_bytes + 1) or b""  # None: some files in /proc would wait
    if len(content) > most_bytes:
        raise OSError(f"larger than {most_bytes} bytes")
    return content


def _assert_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"not a regular file, but {KINDS[stat.S_IFMT(found.st_mode)]}")


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file at once: a reader, and a power cut, find the old or the new one, complete.

    Another name of the old file (a hard link) keeps the old content.  The new one belongs to the
    caller of sudo.

    Raises:
        OSError: it cannot be written, or there is something else than a regular file, such as a link.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _assert_replaceable(path, folder)
        draft = f".{os.getpid()}.new"
        try:
            _write(draft, content, folder)
            os.rename(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _remove(draft, folder)
            raise
        os.fsync(folder)
    finally:
        os.close(folder)


def _assert_replaceable(path: Path, folder: int) -> None:
    try:
        mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        reason = f"is {KINDS[stat.S_IFMT(mode)]} and is not overwritten"
        raise OSError(errno.EEXIST, reason, str(path))


def _write(draft: str, content: bytes, folder: int) -> None:
    _remove(draft, folder)  # of a process that had the same id
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o666, dir_fd=folder), "wb") as file:
        file.write(content)
        if (owner := caller(os.environ, os.geteuid())) is not None:
            os.fchown(file.fileno(), *owner)
        file.flush()
        os.fsync(file.fileno())


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def printable(text: str) -> str:
    """`text` on one line of a terminal: what is no printable character is escaped as in Python."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def printable_lines(text: str) -> str:
    """The same of text that has several lines."""
    return "\n".join(map(printable, text.split("\n")))


def _escaped(each: str) -> str:
    # A byte of a file name that is not UTF-8 is such a half character in Python (PEP 383).
    code = ord(each)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(each)[1:-1]
