"""`overlaylab graph` without a lab: formats, and what it says when it cannot draw."""

import re

import pytest

from controller.model.errors import LabError
from controller.system import commands
from experiments.cli import graph
from experiments.cli.main import main
from tests.topologies.drawing.drawn import drawing
from topologies.drawing.dot import as_dot
from topologies.lab.base import LabBase
from topologies.lab.picture import drawing_of
from topologies.scenario.load import available, load

STARTS = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "dot": b"digraph"}


@pytest.fixture
def said(capsys):
    def run(*argv):
        status = main(("graph", *argv))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr(graph.shutil, "which", lambda name: None)

    def refuse(*argv, **_):
        raise AssertionError(argv)

    monkeypatch.setattr(commands, "run", refuse)


@pytest.mark.parametrize("suffix", STARTS)
def test_each_format_is_written(said, tmp_path, suffix):
    file = tmp_path / f"lab.{suffix}"

    assert said("article", "-o", str(file)) == (0, "", "")
    assert file.read_bytes().startswith(STARTS[suffix])


def test_text_needs_no_graphviz(said, no_dot, tmp_path):
    text = as_dot(drawing("article"))
    file = tmp_path / "lab.dot"

    assert said("article") == (0, text, "")
    assert said("article", "-o", "-") == (0, text, "")
    assert said("article", "-o", str(file)) == (0, "", "")
    assert file.read_text() == text


def test_without_graphviz_one_line_says_what_to_install(said, no_dot, tmp_path):
    status, out, err = said("article", "-o", str(tmp_path / "lab.svg"))

    assert (status, out) == (4, "")
    assert err == (
        "overlaylab: this machine: no program `dot`; allowed: Graphviz for .svg, .png and .pdf; "
        ".dot needs none. `apt-get install graphviz` as root.\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["lab.jpeg", "lab", "svg", "lab.svg.gz", ".", ""])
def test_another_suffix_is_an_error_that_names_the_four(said, tmp_path, file):
    status, out, err = said("article", "-o", file)

    assert (status, out) == (2, "")
    assert "allowed: a name that ends in .svg, .png, .pdf, .dot" in err


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (("nowhere",), "no such name or file"),
        (("article", "--mode", "warp"), "mode: 'warp'"),
        (("article", "--host", "x"), "host 'x'"),
        (("home-office", "--mode", "gre-mesh"), "two sites and no compute hosts"),
        (("home-office", "--host", "x"), "two sites and no compute hosts"),
    ],
)
def test_what_is_not_there_is_said(said, argv, part):
    status, out, err = said(*argv)

    assert (status, out) == (2, "")
    assert part in err


@pytest.mark.parametrize("kind", ["missing", "link", "directory"])
def test_a_file_that_cannot_be_written_is_wrong_input(said, tmp_path, kind):
    file = tmp_path / ("no/lab.dot" if kind == "missing" else "lab.dot")
    if kind == "link":
        file.symlink_to("precious")
    if kind == "directory":
        file.mkdir()

    status, out, err = said("article", "-o", str(file))

    assert (status, out) == (2, "")
    assert err.startswith(f"overlaylab: -o '{file}': ")
    assert f"a writable file in an existing directory ({file.parent}). " in err
    assert not (tmp_path / "precious").exists()


def test_two_sites_in_a_lab_have_no_compute_host():
    """As without a lab: `--host` is refused, not ignored."""
    lab = LabBase.__new__(LabBase)
    sites = load("home-office").sites
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LabBase, "sites", sites)
        patch.setattr(LabBase, "overlay", property(refused))
        assert drawing_of(lab).boxes
        with pytest.raises(LabError):
            drawing_of(lab, "x")


def refused(_):
    raise LabError("two sites", where="lab", allowed="compute hosts", do="Leave --host out.")


@pytest.mark.parametrize("name", available())
def test_every_scenario_is_drawn(said, tmp_path, name):
    file = tmp_path / "lab.svg"

    assert said(name, "-o", str(file))[0] == 0
    assert file.read_text().count("<text") > 20


def test_a_mode_and_a_host_are_drawn(said):
    status, out, _ = said("article", "--mode", "gre-mesh", "--host", "computer")

    assert status == 0
    assert "GRE overlay" in out
    assert "computer (of 2 hosts)" in out
    assert "vxlan-" not in out


def test_text_is_drawn_alike_by_plain_dot(said, tmp_path):
    """Boxes have their places in points, which `neato -n` assumes and `dot` has to be told."""
    file, picture = tmp_path / "lab.dot", tmp_path / "lab.svg"
    assert said("leaf-spine", "-o", str(file))[0] == 0
    assert said("leaf-spine", "-o", str(picture))[0] == 0

    plain = commands.run("dot", "-Tsvg", str(file), timeout_s=60)
    assert places(plain) == places(picture.read_text())
    assert len(places(plain)) > 100


def places(svg):
    """Each text with its rounded place."""
    found = re.findall(r'<text[^>]* x="([-0-9.]+)" y="([-0-9.]+)"[^>]*>([^<]*)', svg)
    return [(round(float(x)), round(float(y)), text) for x, y, text in found]
