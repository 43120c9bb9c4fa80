"""`overlaylab graph`: the topology of a scenario or of a running lab as a picture."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.model.errors import CommandError, HostError, UsageError
from controller.system import commands
from experiments.cli.output_file import STDOUT, write_output

if TYPE_CHECKING:
    from topologies.drawing.dot import Drawing

TEXT = "dot"  # the suffix of the text in the DOT language, which needs no Graphviz
SUFFIXES = ("svg", "png", "pdf", TEXT)
RENDER_S = 60.0  # 16 hosts take 1 s
DPI = 96  # of a PNG


@click.command()
@click.argument("name", metavar="SCENARIO|LAB")
@click.option(
    "-o",
    "file",
    default=STDOUT,
    metavar="FILE",
    help="A .svg, .png, .pdf or .dot file. Without it, print the text in the DOT language.",
)
@click.option("--mode", help="Draw the scenario in another mode; `overlaylab list` shows them.")
@click.option("--host", help="Draw this compute host alone.")
@click.option("--lab", "is_lab", is_flag=True, help="Take the lab if a scenario has the same name.")
def graph(name: str, file: str, mode: str | None, host: str | None, *, is_lab: bool) -> None:
    """Draw the topology: hosts, bridges, ports, tunnels, networks, the underlay.

    SCENARIO is drawn as a new lab would be. A running LAB is drawn as it is now, which needs root.
    Pictures need Graphviz; the text in its DOT language does not.

    Example: overlaylab graph article -o article.svg
    """
    suffix = _suffix(file)
    if suffix != TEXT:
        assert_graphviz()
    drawing = _lab(name, mode, host) if is_lab or _is_lab(name) else _scenario(name, mode, host)
    from topologies.drawing.dot import as_dot

    text = as_dot(drawing)
    if file == STDOUT:
        sys.stdout.write(text)
        return
    write_output(Path(file), text.encode() if suffix == TEXT else rendered(text, suffix))


def _suffix(file: str) -> str:
    """The format of a file."""
    suffix = TEXT if file == STDOUT else Path(file).suffix.lower().removeprefix(".")
    if suffix not in SUFFIXES:
        raise UsageError(
            f"file {file!r}",
            where="-o",
            allowed=f"a name that ends in {', '.join(f'.{each}' for each in SUFFIXES)}, or - for text",
            do="Choose one of them.",
        )
    return suffix


def assert_graphviz() -> None:
    """Check that Graphviz is there.

    Raises:
        HostError: it is not.
    """
    if shutil.which("dot") is None:
        raise HostError(
            "no program `dot`",
            where="this machine",
            allowed="Graphviz for .svg, .png and .pdf; .dot needs none",
            do="`apt-get install graphviz` as root.",
        )


def rendered(text: str, suffix: str) -> bytes:
    """The picture as Graphviz draws it: svg, png or pdf.

    Raises:
        CommandError: Graphviz could not draw it.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"drawing.{suffix}"
        kind = (f"-T{suffix}", *((f"-Gdpi={DPI}",) if suffix == "png" else ()))
        # -n: every box has its place already.
        argv = ("dot", "-Kneato", "-n2", *kind, "-o", str(out))
        commands.run(*argv, stdin=text, timeout_s=RENDER_S)
        try:
            return out.read_bytes()
        except OSError as error:
            raise CommandError(
                "it wrote nothing",
                where="`dot`",
                allowed=f"a {suffix} file",
                do="Try another format, and `overlaylab doctor`.",
            ) from error


def _is_lab(name: str) -> bool:
    """Whether `name` is a running lab and no scenario."""
    from topologies.ledger import labs
    from topologies.scenario.load import available

    if name in available() or Path(name).suffix in {".yaml", ".yml"}:
        return False
    return os.geteuid() == 0 and name in labs()


def _lab(name: str, mode: str | None, host: str | None) -> "Drawing":
    from experiments.cli.lab import attached

    if mode is not None:
        raise UsageError(
            "--mode with a running lab",
            where=f"lab {name!r}",
            allowed="--mode with a scenario",
            do="A lab keeps the mode that it was started in: leave --mode out.",
        )
    lab = attached(name)
    from topologies.lab.picture import drawing_of

    return drawing_of(lab, host)


def _scenario(name: str, mode: str | None, host: str | None) -> "Drawing":
    from controller.model.modes import parse_mode, with_mode
    from controller.model.sites import Sites
    from topologies.drawing.overlay_drawing import draw_overlay
    from topologies.drawing.ports import planned
    from topologies.drawing.sites_drawing import draw_sites
    from topologies.scenario.load import load

    scenario = load(name)
    if isinstance(scenario.described, Sites) and mode is None and host is None:
        return draw_sites(scenario.described)
    overlay = with_mode(scenario.overlay, parse_mode(mode) if mode is not None else None)
    chosen = overlay.hosts if host is None else (overlay.host(host),)
    return draw_overlay(overlay, [planned(overlay, each) for each in chosen])
