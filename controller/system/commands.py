"""Starts processes.  Nothing else in the project does.

Every process has the mark of its lab in its environment (`OVERLAYLAB_LAB`), so that processes of a
lab whose owner was killed can be found.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NoReturn

from controller.model.errors import CommandError
from controller.system.trusted import trusted
from controller.system.waiting import scaled

MARK = "OVERLAYLAB_LAB"
TIMEOUT_S = 10.0


class Child(subprocess.Popen[bytes]):
    """A process that may outlive this object without a ResourceWarning.

    When the lab is taken down it is reaped by its pid, often through another object.
    """

    def __del__(self) -> None:
        super().__del__(_warn=lambda *_, **__: None)  # type: ignore[call-arg]  # not in typeshed


def in_node(pid: int | None, argv: Sequence[str]) -> tuple[str, ...]:
    """`argv`, run in the network and mount namespaces of process `pid`."""
    return ("mnexec", "-a", str(pid), *argv) if pid else tuple(argv)


def run(
    *argv: str,
    pid: int | None = None,
    mark: str = "",
    timeout_s: float = TIMEOUT_S,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run argv to its end, in the namespaces of `pid` if given; return its stdout.

    Args:
        timeout_s: the limit on an idle machine; it grows with the machine's load.

    Raises:
        CommandError: it could not start, exited non-zero, or ran longer than `timeout_s`.
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
    """Like `run`, but return the result also if the exit status is not 0.

    Raises:
        CommandError: it could not start, or ran longer than `timeout_s`.
    """
    limit_s = scaled(timeout_s)
    try:
        return subprocess.run(
            in_node(pid, argv),
            input=stdin or "",  # never the terminal's: a command must not wait for input
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
            env=environment(mark, env),
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(argv, _text(error.stderr), f"timed out after {limit_s:g} s") from error
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

    In its own session Ctrl-C at the terminal does not reach it: the caller ends it in order.

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
    """Replace this process by argv, in the namespaces of `pid`, on the same terminal.

    Raises:
        CommandError: it could not start.
    """
    full = in_node(pid, argv)
    try:
        os.execvpe(full[0], full, {**trusted(os.environ), **(env or {}), MARK: mark})  # noqa: S606  no shell is wanted
    except OSError as error:
        raise _failed(argv, str(error), "it could not start") from error


def environment(mark: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that is started here."""
    marked = {MARK: mark} if mark else {}
    # Parsed output must not change with the user's language.
    return {**trusted(os.environ), "LC_ALL": "C.UTF-8", **marked, **(more or {})}


def _text(output: bytes | str | None) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return text.strip()


def _failed(argv: Sequence[str], output: str, how: str) -> CommandError:
    return CommandError(
        f"{how}: {output}" if output else how,
        where=f"`{' '.join(argv)}`",
        allowed="exit status 0 in time",
        do="`overlaylab doctor` shows what this machine lacks.",
    )
