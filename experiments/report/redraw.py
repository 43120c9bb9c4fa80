"""A run's files in, its figures and reports out: no lab, no root, on any laptop."""

from pathlib import Path

import matplotlib as mpl

from experiments.figures.sheet import STYLE
from experiments.report.markdown import markdown
from experiments.results import read
from experiments.story import Picture, Told
from experiments.tell import told
from topologies.ownership import give_back

REPORT = "report.md"


def redraw(directory: Path) -> tuple[Told, dict[str, str]]:
    """Tell the run in `directory` anew; write its figures and reports beside its files.

    Returns what was found, and the files by kind; `directory` is among them.

    Raises:
        MeasureError: the files cannot be read, or tell nothing.
    """
    found = told(read(directory))
    files = {"directory": directory}
    for picture in found.story.pictures:
        files.update(_drawn(directory, picture))
    files["report"] = directory / REPORT
    files["report"].write_text(markdown(found), encoding="utf-8")
    for path in list(files.values())[1:]:
        give_back(path)
    return found, {kind: str(path) for kind, path in files.items()}


def _drawn(directory: Path, picture: Picture) -> dict[str, Path]:
    """Write the figure; the same samples give the same bytes, hence no date inside."""
    paths = {f"{picture.name}.{kind}": directory / f"{picture.name}.{kind}" for kind in ("png", "svg")}  # fmt: skip
    with mpl.rc_context(fname=STYLE):
        figure = picture.draw()
        for path in paths.values():
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths
