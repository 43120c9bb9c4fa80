"""docs/scenarios.md: its examples load; docs/scenario-reference.md: its table has every key and no other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from topologies.scenario.load import FOLDER, load
from topologies.scenario.schema import SCHEMA_FILE
from topologies.scenario.yaml_file import parse_yaml, read_yaml

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "scenarios.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "scenario-reference.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def test_the_first_example_is_a_whole_scenario(tmp_path):
    (tmp_path / "s.yaml").write_text(EXAMPLES[0], encoding="utf-8")
    scenario = load(tmp_path / "s.yaml")
    assert scenario.warnings == ()
    assert [str(port.fixed_ips[0]) for port in scenario.overlay.ports] == ["10.0.0.2", "10.0.0.3"]


def test_the_second_example_is_part_of_the_articles_scenario():
    article = read_yaml(FOLDER / "article.yaml")
    shown = parse_yaml(EXAMPLES[1], "example")
    assert shown == {key: article[key] for key in shown}


def keys(node: dict, at: str = "") -> Iterator[str]:
    """The path of every key that holds a value of its own."""
    for key, value in node.get("properties", {}).items():
        below = list(keys(value, f"{at}.{key}" if at else key))
        yield from below or [f"{at}.{key}" if at else key]
    if "items" in node:
        yield from keys(node["items"], f"{at}[]")


def test_the_table_has_every_key_once():
    report = re.findall(r"^\| `([^`]+)` \|", REFERENCE, re.MULTILINE)
    assert sorted(report) == sorted(keys(SCHEMA))
