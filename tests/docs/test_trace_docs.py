"""docs/walk.md shows what the commands print: not a line of its output is from memory."""

import re
from pathlib import Path

import pytest

from experiments.cli.main import main
from experiments.cli.trace_text import as_text
from tests.topologies.trace.played_lab import traced

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "walk.md").read_text()
COMMAND = PAGE.partition("## The same by command")[2].partition("## Where to look next")[0]
FENCED = re.findall(r"^```(\w*)\n(.*?)\n```$", COMMAND, re.MULTILINE | re.DOTALL)
BLOCKS = [text for language, text in FENCED if not language]
A, B = "ServerA", "ServerB"
RECORDED = (
    ("own.arp.cold", "arp"),
    ("own.ping.warm", "ping"),
    ("vxlan-l2pop-arp.arp", "arp"),
    ("own.arp.unknown-vni", "arp"),
)


def test_the_page_has_a_block_for_each():
    assert len(BLOCKS) == len(RECORDED) + 1


@pytest.mark.parametrize(("number", "recording", "kind"), [(n, *r) for n, r in enumerate(RECORDED)])
def test_its_traces_are_real(number, recording, kind):
    text = as_text(traced(recording, A, B, kind))
    assert BLOCKS[number] in text
    if number == 0:
        assert BLOCKS[number] == text


def test_its_explanations_are_real(capsys):
    argv = re.search(r"^\$ overlaylab (flows .*--explain)$", COMMAND, re.MULTILINE)[1].split()
    assert main(argv) == 0
    assert BLOCKS[-1] in capsys.readouterr().out
