"""Scenarios, .ini files and command lines that are nearly right: an answer, and never a traceback."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.cli.main import overlaylab
from tests.fuzz.made import EXTREME, changed, edited, junk, plain
from tests.fuzz.tried import answered, drafts, tried
from topologies.scenario.load import FOLDER
from topologies.scenario.yaml_file import read_yaml

TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
DATA = {name: plain(read_yaml(FOLDER / f"{name}.yaml")) for name in TEXTS}
INI = {path.name: path.read_text("utf-8") for path in sorted((FOLDER / "article").glob("*.ini"))}
LINES = sorted({line for text in INI.values() for line in text.splitlines()})
pytestmark = pytest.mark.usefixtures("here")


def checked(kind, path):
    """`validate` and `flows` have an answer, and the same one on what is valid."""
    status, _, err = answered(kind, "validate", str(path))
    if status == 0:
        answered(kind, "flows", str(path), "--host", "node1", "--bridge", "br-tun")
    elif "no such" not in err:
        assert ":" in err.removeprefix("overlaylab: ")


@tried(40)
@given(st.sampled_from(sorted(DATA)).flatmap(lambda name: changed(DATA[name])))
def test_a_changed_scenario_is_read_or_refused(here, data):
    path = here / "s.yaml"
    path.write_text(json.dumps(data, allow_nan=True), "utf-8", errors="surrogatepass")
    checked("scenario, values", path)


@tried(60)
@given(st.sampled_from(sorted(TEXTS)).flatmap(lambda name: edited(TEXTS[name])))
def test_an_edited_scenario_is_read_or_refused(here, text):
    path = here / "s.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    checked("scenario, text", path)


@tried(30)
@given(st.binary(max_size=60) | junk.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_as_a_scenario_are_read_or_refused(here, content):
    (here / "s.yaml").write_bytes(content)
    checked("scenario, bytes", here / "s.yaml")


@st.composite
def ini_texts(draw):
    """A file of Neutron's with lines added, and then edited."""
    lines = draw(st.sampled_from(sorted(INI.values()))).splitlines()
    for _ in range(draw(st.integers(0, 4))):
        name, _, _ = draw(st.sampled_from(LINES)).partition("=")
        value = draw(st.sampled_from([str(each) for each in EXTREME]) | junk)
        added = draw(
            st.sampled_from((f"{name}={value}", f"{name}={value},{value}", value, f"[{value}]"))
        )
        lines.insert(draw(st.integers(0, len(lines))), added)
    text = "\n".join(lines)
    return draw(st.just(text) | edited(text))


@tried(60)
@given(ini_texts(), st.sampled_from(("ml2_conf", "agent_file")))
def test_any_ini_file_is_read_or_refused(here, text, role):
    (here / "x.ini").write_bytes(text.encode("utf-8", "surrogatepass"))
    data = plain(DATA["article"])
    for host in data["hosts"]:
        host["agent_file"] = str(FOLDER / host["agent_file"])
    data["ml2_conf"]["file"] = str(FOLDER / data["ml2_conf"]["file"])
    (data["ml2_conf"] if role == "ml2_conf" else data["hosts"][0]).update(
        {"file" if role == "ml2_conf" else "agent_file": "x.ini"}
    )
    (here / "s.yaml").write_text(json.dumps(data), "utf-8")
    checked("ini", here / "s.yaml")


HARMLESS = ("list", "validate", "flows", "report", "compare", "run", "up", "trace", "status")
OPTIONS = sorted(
    {word for name in HARMLESS for each in overlaylab.commands[name].params for word in each.opts}
)
WORDS = (
    st.sampled_from((*OPTIONS, *HARMLESS, *TEXTS, "br-tun", "br-int", "node1", "flat", "vxlan-l2pop", "queens",
                     "--help", "--version", "--", "-", ".", "/", "/dev/zero", "latency", "all", "json"))
    | st.sampled_from([str(each) for each in EXTREME])
    | st.text(max_size=8)
)  # fmt: skip


@tried(60)
@given(st.sampled_from(HARMLESS), st.lists(WORDS, max_size=6))
def test_any_command_line_ends_without_a_traceback(here, command, words):
    before = {path.name for path in here.iterdir()}
    if "/" not in words:
        answered("command line", command, *(word.replace("\0", "") for word in words))
    assert not drafts(here)
    assert {path.name for path in here.iterdir()} - before <= {"results", "labs"}
