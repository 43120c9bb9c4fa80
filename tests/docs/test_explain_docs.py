"""docs/explain.md: the output that it shows is what the command prints, and no finding is missing."""

import re
from pathlib import Path

from controller.explain import findings
from controller.explain.explanation import explanation
from experiments.cli.explain_dump import lines

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explain.md").read_text(encoding="utf-8")
DUMPS = ROOT / "tests/controller/explain/dumps"
PLAYED = ROOT / "tests/topologies/trace/played/own.arp.no-neighbour.txt"
ODD = "ovs-ofctl dump-flows br-tun\ntable=22, dl_vlan=1,shoe=5 actions=drop\nLorem ipsum\n"


def trace():
    text = PLAYED.read_text(encoding="utf-8")
    start = text.index("\nFlow:")
    return text[start : text.index("\n", text.index("Datapath actions", start))]


def test_the_output_shown_is_real():
    article = "".join((DUMPS / f"article.br-tun.{kind}").read_text() for kind in ("flows", "show"))
    real = {line.rstrip() for text in (article, trace(), ODD) for line in lines(explanation(text))}
    blocks = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines() if line]
    assert len(blocks) == 5
    assert [line for line in shown if line not in real] == []


def test_each_fault_is_in_the_table():
    code = Path(findings.__file__).read_text(encoding="utf-8")
    faults = set(re.findall(r'_fault\(\s*"([a-z-]+)"', code)) | {"shadowed"}
    named = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"(?m)^\| `.*$", PAGE))))
    assert faults - named == set()
    assert named - faults == set()
