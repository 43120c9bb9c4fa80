"""The one door to the host.  Nothing else in the project starts a process.

Every process bears the mark of what it was started for in its environment
(`OVERLAYLAB_LAB`), so that those of a lab whose owner was killed are found again.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NoReturn

from controller.model.errors import CommandError

MARK = "OVERLAYLAB_LAB"
TIMEOUT_S = 10.0


class Child(subprocess.Popen[bytes]):
    """A process that ends with its lab: no warning if this object goes first.

    Whoever takes the lab down reaps it by its pid, often through another object.
    """

    def __del__(self) -> None:
        super().__del__(_warn=lambda *_, **__: None)  # type: ignore[call-arg]  # not in typeshed


def in_node(pid: int | None, argv: Sequence[str]) -> tuple[str, ...]:
    """`argv`, entered into the network and mount namespaces of process `pid`."""
    return ("mnexec", "-a", str(pid), *argv) if pid else tuple(argv)


def run(
    *argv: str,
    pid: int | None = None,
    mark: str = "",
    timeout_s: float = TIMEOUT_S,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run argv to its end, inside the namespaces of `pid` if given; return its stdout.

    Raises:
        CommandError: it could not start, exited non-zero, or outlived `timeout_s`.
    """
    done = attempt(*argv, pid=pid, mark=mark, timeout_s=timeout_s, stdin=stdin, env=env)
    if done.returncode:
        raise _failed(argv, (done.stderr or done.stdout).strip(), f"exit status {done.returncode}")
    return done.stdout


def attempt(
    *argv: str,
    pid: int | None = None,
    mark: str = "",
    timeout_s: float = TIMEOUT_S,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """As `run`, but an exit status other than 0 is an answer, not an error.

    Raises:
        CommandError: it could not start, or outlived `timeout_s`.
    """
    try:
        return subprocess.run(
            in_node(pid, argv),
            input=stdin or "",  # never the terminal's: a command must not wait for a person
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env=environment(mark, env),
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(argv, _text(error.stderr), f"no end within {timeout_s} s") from error
    except OSError as error:
        raise _failed(argv, str(error), "it could not start") from error


def start(
    *argv: str,
    pid: int | None = None,
    mark: str = "",
    stdout: Path | IO[Any] | int = subprocess.DEVNULL,
    stderr: Path | IO[Any] | int = subprocess.STDOUT,
    env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start argv in a session of its own and leave it running; the caller ends it.

    A session of its own: Ctrl-C at the terminal reaches us, and we end it in order.

    Raises:
        CommandError: it could not start.
    """
    with ExitStack() as files:

        def opened(out: Path | IO[Any] | int) -> IO[Any] | int:
            return files.enter_context(out.open("ab")) if isinstance(out, Path) else out

        try:
            return Child(
                in_node(pid, argv),
                stdin=subprocess.DEVNULL,
                stdout=opened(stdout),
                stderr=opened(stderr),
                start_new_session=True,
                env=environment(mark, env),
            )
        except OSError as error:
            raise _failed(argv, str(error), "it could not start") from error


def become(*argv: str, pid: int, mark: str, env: Mapping[str, str] | None = None) -> NoReturn:
    """Turn this process into argv, inside the namespaces of `pid`; terminal and status are its own.

    Raises:
        CommandError: it could not start.
    """
    full = in_node(pid, argv)
    try:
        os.execvpe(full[0], full, {**os.environ, **(env or {}), MARK: mark})  # noqa: S606  no shell is meant
    except OSError as error:
        raise _failed(argv, str(error), "it could not start") from error


def environment(mark: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every process started here."""
    marked = {MARK: mark} if mark else {}
    # Parsed output must not change with the user's language.
    return {**os.environ, "LC_ALL": "C.UTF-8", **marked, **(more or {})}


def _text(output: bytes | str | None) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return text.strip()


def _failed(argv: Sequence[str], said: str, how: str) -> CommandError:
    return CommandError(
        f"{how}: {said}" if said else how,
        where=f"`{' '.join(argv)}`",
        allowed="exit status 0 in time",
        do="`overlaylab doctor` tells what this machine lacks.",
    )
