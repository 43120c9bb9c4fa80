"""README.md and docs/: every command line shown names a command and options that exist."""

import re
import shlex
from pathlib import Path

import click
import pytest

from experiments.cli.main import overlaylab
from experiments.core import registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?P<language>\w*)\n.*?^```|^(?: {4}.*\n)+", re.DOTALL | re.MULTILINE)
SHELL = {None, "", "console", "sh", "text"}
COMMAND = re.compile(r"^\s*(?:\$ )?(?:sudo )?(?:\S*/)?overlaylab (?P<words>[a-z].*)$", re.MULTILINE)


def shown() -> list[tuple[str, str]]:
    """Each page with each line of its blocks that runs `overlaylab`."""
    return [
        (page.relative_to(ROOT).as_posix(), found["words"])
        for page in PAGES
        for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if block["language"] in SHELL
        for found in COMMAND.finditer(block[0])
    ]


def words_of(line: str) -> list[str]:
    """The words of a command line up to a pipe, a redirection, a comment or `&`."""
    before = re.split(r"\s(?:[|<>&]|#\s|\d?>)", f"{line} ")[0]
    return shlex.split(before)


@pytest.mark.parametrize(("page", "line"), shown())
def test_the_command_and_its_options_exist(page, line):
    name, *words = words_of(line)
    if name in registry.names():
        name = "run"
    command = overlaylab.commands[name]
    assert unknown_options(command, words) == [], page


def unknown_options(command: click.Command, words: list[str]) -> list[str]:
    if isinstance(command, click.Group):
        return unknown_options(command.commands[words[0]], words[1:])
    known = {option for each in command.params for option in each.opts} | {"--help", "-h"}
    own = words[: words.index("--")] if "--" in words else words
    return [word for word in own if word.startswith("-") and word not in {"-", *known}]


def test_most_pages_show_a_command():
    assert len(shown()) > 60
    assert unknown_options(overlaylab.commands["up"], ["article", "--nmae", "x"]) == ["--nmae"]


def test_the_page_of_commands_has_every_command():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `overlaylab ([a-z]+)((?:\\\|[a-z]+)*)", text, re.MULTILINE)
    listed = {name for first, rest in rows for name in (first, *rest.split("\\|")[1:])}
    assert set(overlaylab.commands) <= listed
