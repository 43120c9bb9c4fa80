"""`overlaylab trace`: follow one frame through a running lab, table by table."""

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
    help="The frame from SRC: an ARP request for DST, a ping to DST, or a broadcast ping.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text, or one JSON document.",
)
def trace(lab: str, source: str, target: str, frame: str, form: str) -> int:
    """Show what the switches of LAB would do now with a frame from guest SRC to guest DST.

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
