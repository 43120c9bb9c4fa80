"""`overlaylab`: finds the command, runs it and returns its exit status."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path

import click

from controller.model.errors import HostError, ModelError, OverlayError, UsageError
from controller.system.files import printable
from controller.system.trusted import ignore_working_directory, in_root_directory
from experiments.cli import check, compare, doctor, explain, graph, lab, live, offline, report, run
from experiments.cli.status import Status
from experiments.cli.streams import discard_unwritable, flush, open_closed
from experiments.cli.wrong_use import text_of, unknown_command
from experiments.core import registry

OWN_OPTIONS = frozenset({"-h", "--help", "--version"})  # all other options are those of `run`


class Commands(click.Group):
    """All commands, in the order given."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:  # noqa: ARG002
        if cmd_name not in self.commands:
            raise unknown_command(cmd_name, self.commands)
        return self.commands[cmd_name]


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    from importlib import metadata

    if wanted:
        try:
            version = metadata.version("overlaylab")
        except metadata.PackageNotFoundError:  # a checkout that is not installed
            version = "(not installed)"
        print(f"overlaylab {version}")
        context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},  # commands inherit them
    commands=(
        run.run,
        offline.list_,
        offline.validate,
        offline.flows,
        graph.graph,
        lab.up,
        lab.exec_,
        lab.status,
        lab.shell,
        live.host,
        live.server,
        lab.plug,
        lab.unplug,
        lab.capture,
        lab.down,
        lab.trace,
        explain.explain,
        report.report,
        compare.compare,
        doctor.doctor,
        check.check,
    ),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def overlaylab() -> None:
    """Start overlay networks as Neutron builds them, show their flows, and measure them.

    Without a command: run the default experiments (`overlaylab run`).

    Example: overlaylab list
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status."""
    open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that is not UTF-8, or a terminal that is not
            stream.reconfigure(errors="backslashreplace")
    argv = _with_command(list(sys.argv[1:] if argv is None else argv))
    ignore_working_directory()
    os.environ["PATH"] = doctor.search_path(os.environ)  # for every program that this one starts
    try:
        _import_matplotlib()
        status = _status(lambda: _invoke(argv))
        flush()
    except (BrokenPipeError, SystemExit):  # the latter is rich's when its output has no reader
        discard_unwritable()
        return Status.NO_READER
    except OSError as error:  # a full disk behind `>`, or the working directory was removed
        discard_unwritable()
        where = error.filename or "standard output or the working directory"
        allowed = "files and folders that can be used"
        return _print_error(
            f"{where}: {error.strerror or error}; allowed: {allowed}. Check it.", Status.FAILED
        )
    return status


def _import_matplotlib() -> None:
    """Import it here if it would read a file of the working directory: its own settings come first."""
    if Path("matplotlibrc").exists():
        with in_root_directory():
            importlib.import_module("matplotlib")


def _with_command(words: list[str]) -> list[str]:
    """`words`, after `run` if they begin with an option or an experiment."""
    if not words or words[0] in registry.names():
        return ["run", *words]
    is_option = words[0].startswith("-") and words[0] not in OWN_OPTIONS
    return ["run", *words] if is_option else words


def console() -> None:
    """The entry point of the installed command."""
    sys.exit(main())


def _invoke(words: list[str]) -> object:
    with overlaylab.make_context("overlaylab", words) as context:
        return overlaylab.invoke(context)


def _status(command: Callable[[], object]) -> int:
    """The exit status of `command`; errors are printed, one a line."""
    try:
        returned = command()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _print_error(text_of(error), Status.WRONG_USE)
    except OverlayError as error:
        return _print_error(str(error), _status_of(error))
    except (KeyboardInterrupt, click.Abort):
        return _print_error("interrupted", Status.INTERRUPTED)
    return returned if isinstance(returned, int) else Status.DONE


def _status_of(error: OverlayError) -> Status:
    if isinstance(error, UsageError | ModelError):
        return Status.WRONG_USE
    return Status.HOST_CANNOT if isinstance(error, HostError) else Status.FAILED


def _print_error(message: str, status: int) -> int:
    for line in message.split("\n"):
        if line.strip():
            print(f"overlaylab: {printable(line)}", file=sys.stderr)
    return status
