"""`overlaylab explain`: flows and traces of any Open vSwitch, in words."""

import json
import sys
from pathlib import Path

import click

from controller.model.errors import UsageError
from experiments.cli.status import FORMAT

BYTES_MAX = 32 * 1024 * 1024  # a dump of some 100,000 flows
EXPECTED = (
    "the output of `ovs-ofctl dump-flows BRIDGE` or `ovs-appctl ofproto/trace BRIDGE FLOW`, "
    "from a file or a pipe"
)
USAGE = "ovs-ofctl dump-flows br-tun | overlaylab explain"


@click.command()
@click.argument("dump", nargs=-1, metavar="[DUMP]...")
@FORMAT
def explain(dump: tuple[str, ...], output: str) -> None:
    """Explain flows or a trace of any Open vSwitch: DUMP is a file, or `-` for standard input.

    It reads what `ovs-ofctl dump-flows` and `ovs-appctl ofproto/trace` print, of any Neutron
    release or hand-made, and shows networks, VTEPs, what looks wrong, and each flow in a
    sentence. Add the output of `ovs-ofctl show` to the text for the addresses of VTEPs.

    \b
    On a compute node: ovs-ofctl dump-flows br-tun | overlaylab explain

    \b
    Example: overlaylab flows article --host controller --bridge br-tun | overlaylab explain
    """  # noqa: D301  click's mark for lines that it shall not join
    from controller.explain.explanation import explanation
    from experiments.cli.explain_dump import document, lines

    found = explanation("\n".join(map(_text, dump or ("-",))))
    if found.is_empty:
        raise UsageError(
            "neither flows nor a trace in the text" if found.has_text else "no text",
            where=", ".join(dump) or "standard input",
            allowed=EXPECTED,
            do=f"Try `{USAGE}`.",
        )
    if output == "json":
        print(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(found)))


def _text(name: str) -> str:
    """The text of a file, or of standard input for `-`; what is not UTF-8 is replaced."""
    try:
        if name == "-":
            if sys.stdin.isatty():
                raise UsageError(
                    "nothing: standard input is a terminal",
                    where="explain",
                    allowed=EXPECTED,
                    do=f"Try `{USAGE}`.",
                )
            raw = sys.stdin.buffer.read(BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            reason, where=name, allowed="a file that can be read", do=f"Try `{USAGE}`."
        ) from error
    if len(raw) > BYTES_MAX:
        raise UsageError(
            "too long",
            where=name,
            allowed=f"{BYTES_MAX // 1024 // 1024} MiB",
            do="Select flows: `ovs-ofctl dump-flows BRIDGE table=22`.",
        )
    encoding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    return raw.decode(encoding, errors="replace")
