"""`overlaylab`: finds the command, runs it, and turns what happened into an exit status."""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from controller.model.errors import HostError, ModelError, OverlayError, UsageError
from experiments.cli.catalogue import EXPERIMENTS
from experiments.cli.doctor import extend_path

DONE, FAILED, WRONG_USE, HOST_CANNOT = 0, 1, 2, 4
INTERRUPTED = 128 + signal.SIGINT
NO_READER = 128 + signal.SIGPIPE  # what the shell says of a program that wrote on to `| head`
OWN_WORDS = frozenset({"--help", "--version"})  # anything else that starts with - is for `run`


MODULES = {  # command -> the module beside this one that has it, imported only when asked for
    "run": "run",
    "list": "offline",
    "validate": "offline",
    "flows": "offline",
    "up": "lab",
    "exec": "lab",
    "status": "lab",
    "shell": "lab",
    "plug": "lab",
    "unplug": "lab",
    "capture": "lab",
    "down": "lab",
    "trace": "trace",
    "report": "report",
    "compare": "compare",
    "doctor": "doctor",
}


class Commands(click.Group):
    """The commands of the design, in its order, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in MODULES:
            raise UsageError(
                repr(cmd_name),
                where="command",
                allowed=", ".join(MODULES),
                do="`overlaylab --help` says what each does; an experiment's name runs it.",
            )
        module = importlib.import_module(f"experiments.cli.{MODULES[cmd_name]}")
        commands: tuple[click.Command, ...] = module.commands
        return next((command for command in commands if command.name == cmd_name), None)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if wanted:
        print(f"overlaylab {_version()}")
        context.exit()


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("overlaylab")
    except metadata.PackageNotFoundError:  # a clone that is not installed
        return "(not installed)"


@click.group(cls=Commands)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def overlaylab() -> None:
    """Raise overlay networks as Neutron builds them, look at their flows, and measure them.

    Without a command: run the default experiments (`overlaylab run`).
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status."""
    words = _with_command(list(sys.argv[1:] if argv is None else argv))
    extend_path()
    try:
        status = _status(lambda: _invoke(words))
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        return NO_READER
    except OSError as error:  # a full disk behind `>`, or the folder we stand in was removed
        _let_go_of_stdout()
        return _said(_refused(error), FAILED)
    return status


def _let_go_of_stdout() -> None:
    """Python flushes again at exit; there must be something that takes it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(error: OSError) -> str:
    where = error.filename or "standard output, or this folder"
    return f"{where}: {error.strerror or error}; allowed: files and folders that can be used. Look at it."


def _with_command(words: list[str]) -> list[str]:
    """`words`, after `run` where no command is named: at options, or at an experiment."""
    if not words or words[0] in dict(EXPERIMENTS):
        return ["run", *words]
    is_option = words[0].startswith("-") and words[0] not in OWN_WORDS
    return ["run", *words] if is_option else words


def console() -> None:
    """The entry point of the installed command."""
    sys.exit(main())


def _invoke(words: list[str]) -> object:
    with overlaylab.make_context("overlaylab", words) as context:
        return overlaylab.invoke(context)


def _status(command: Callable[[], object]) -> int:
    """The exit status of `command`; an error is said in one line, or one line each."""
    try:
        returned = command()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _said(error.format_message(), WRONG_USE)
    except OverlayError as error:
        is_use = isinstance(error, UsageError | ModelError)
        is_host = isinstance(error, HostError)
        return _said(str(error), WRONG_USE if is_use else HOST_CANNOT if is_host else FAILED)
    except (KeyboardInterrupt, click.Abort):
        return _said("interrupted", INTERRUPTED)
    return returned if isinstance(returned, int) else DONE


def _said(message: str, status: int) -> int:
    for line in message.splitlines():
        print(f"overlaylab: {line}", file=sys.stderr)
    return status
