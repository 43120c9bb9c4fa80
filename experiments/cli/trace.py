"""`overlaylab trace`: follow one frame through a running lab, table by table."""

import click

from experiments.cli.lab import LAB, attached
from experiments.cli.status import FORMAT, Status

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
@FORMAT
def trace(lab: str, source: str, target: str, frame: str, output: str) -> int:
    """Show what the switches of LAB would do now with a frame from guest SRC to guest DST.

    Nothing is sent. The exit status is 1 if the frame would not arrive.
    """
    from experiments.cli.trace_text import as_json, as_text
    from topologies.trace.trace import trace_frame

    course = trace_frame(attached(lab), source, target, frame)
    click.echo(as_json(course) if output == "json" else as_text(course, click.style))
    return Status.DONE if course.delivered else Status.FAILED
