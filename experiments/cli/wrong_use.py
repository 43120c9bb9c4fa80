"""What the errors of a wrong command line say, and the names that were probably meant."""

from collections.abc import Iterable

import click

from controller.model.errors import UsageError
from controller.model.near import did_you_mean
from experiments.core import registry

# Commands of containerlab, netlab, Mininet, OVN and Docker.
ELSEWHERE = {
    "deploy": "up",
    "start": "up",
    "create": "up",
    "destroy": "down",
    "stop": "down",
    "delete": "down",
    "inspect": "status",
    "show": "status",
    "ps": "status",
    "ls": "list",
    "tcpdump": "capture",
    "tshark": "capture",
    "dump-flows": "flows",
    "connect": "shell",
    "ssh": "shell",
}


def unknown_command(found: str, commands: Iterable[str]) -> UsageError:
    """The error of a command that does not exist."""
    known = tuple(commands)
    do = "`overlaylab --help` describes them; `overlaylab NAME` runs the experiment NAME."
    meant = ELSEWHERE.get(found.lower())
    return UsageError(
        repr(found),
        where="command",
        allowed=", ".join(known),
        do=f"Did you mean `{meant}`?"
        if meant in known
        else did_you_mean(found, (*known, *registry.names()), do),
    )


def text_of(error: click.ClickException) -> str:
    """An error of click in one line: what is wrong, what was probably meant, and which help has more."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    see = f"See `{context.command_path} --help`." if context else ""
    if isinstance(error, click.NoSuchOption):
        return f"{error.message} {did_you_mean(error.option_name, _options(context), see)}"
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Parameter):
        kind = error.param.type
        if isinstance(kind, click.Choice):
            typed = error.message.split("'")[1]  # click's text begins with the value in quotes
            see = did_you_mean(typed, map(str, kind.choices), see)
    return f"{error.format_message()} {see}".rstrip()


def _options(context: click.Context | None) -> list[str]:
    """The options of the command, or of the program if none was given."""
    parameters = context.command.get_params(context) if context else []
    return [
        name for each in parameters for name in (*each.opts, *each.secondary_opts) if "-" in name
    ]
