"""`overlaylab trace`: one frame through a living lab, table by table, in words."""

import click

from experiments.cli.lab import LAB, _assert_root

DELIVERED, LOST = 0, 1
FRAMES = ("arp", "ping", "broadcast")


@click.command()
@LAB
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option(
    "--frame",
    type=click.Choice(FRAMES),
    default="arp",
    show_default=True,
    help="What SRC sends: a question for DST's address, a ping, or a ping to all.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or one JSON document.",
)
def trace(lab: str, source: str, target: str, frame: str, form: str) -> int:
    """Follow one frame from guest SRC to guest DST of LAB, as the switches would treat it now.

    Nothing is sent. The exit status is 1 if the frame would not arrive.
    """
    from experiments.cli.trace_text import as_json, as_text
    from topologies.lab import attach
    from topologies.trace.trace import trace_frame

    _assert_root()
    course = trace_frame(attach(lab), source, target, frame)
    click.echo(as_json(course) if form == "json" else as_text(course, click.style))
    return DELIVERED if course.delivered else LOST


commands: tuple[click.Command, ...] = (trace,)
