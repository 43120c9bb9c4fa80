"""The exit status of every command, and the options that several share."""

from enum import IntEnum

import click


class Status(IntEnum):
    """What scripts can rely on."""

    DONE = 0
    FAILED = 1  # a check failed, an exact prediction was refuted, or a frame does not arrive
    WRONG_USE = 2
    UNRELIABLE = 3  # done, but the verdict says not to trust the figures
    HOST_CANNOT = 4
    INTERRUPTED = 128 + 2  # SIGINT
    NO_READER = 128 + 13  # SIGPIPE, as a shell reports a program killed by `| head`


FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Print text, or one JSON document.",
)
DATAPATH = click.option(
    "--datapath",
    type=click.Choice(["netdev", "system"]),
    default="netdev",
    show_default=True,
    help="OVS in user space, or (experimental) in the kernel.",
)
APP = click.option(
    "--app",
    type=click.Choice(["os-ken", "ryu"]),
    default="os-ken",
    show_default=True,
    help="The framework that runs the controller.",
)
