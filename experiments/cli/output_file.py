"""The file of an option `-o`: written as a whole, or an error that says where and why not."""

import errno
from pathlib import Path

from controller.model.errors import UsageError
from controller.system.files import replace_file

STDOUT = "-"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})  # the machine's fault, not the name's


def write_output(file: Path, content: bytes) -> None:
    """Replace the file that a user names; a link or a device is not overwritten.

    Raises:
        UsageError: there can be no such file.
        OSError: the disk is full or broken.
    """
    try:
        replace_file(file, content)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UsageError(
            error.strerror or str(error),
            where=f"-o {str(file)!r}",
            allowed=f"a writable file in an existing directory ({file.absolute().parent})",
            do="Make that directory first, or name another file.",
        ) from error
