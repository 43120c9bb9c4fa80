"""Every command describes itself and its options, and its examples work as written."""

import re
import shlex
import shutil
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from experiments.cli.main import main, overlaylab

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[3]
EXAMPLE = re.compile(r"^Example: (?P<sudo>sudo )?(?P<line>overlaylab .*)$", re.MULTILINE)


def commands_of(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands_of(command, *path, name)


COMMANDS = {" ".join(path): command for path, command in commands_of(overlaylab)}
EXAMPLES = {
    each["line"]: bool(each["sudo"])
    for command in (overlaylab, *COMMANDS.values())
    for each in EXAMPLE.finditer(cleandoc(command.help or ""))
}


def words_of(example: str) -> list[str]:
    """What the shell gives to overlaylab: without the name, and without a pipe."""
    words = shlex.split(example)[1:]
    return words[: words.index("|")] if "|" in words else words


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_an_example_on_one_line(name, option, capsys):
    command = COMMANDS.get(name, overlaylab)
    assert main([*name.split(), option]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"Usage: overlaylab {name}".rstrip())
    examples = [each[0] for each in EXAMPLE.finditer(cleandoc(command.help or ""))]
    assert examples, f"{name}: its docstring needs a paragraph `Example: overlaylab ...`"
    assert not [each for each in examples if f"\n  {each}\n" not in out]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_described(name):
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]
    assert not [each.name for each in options if not each.help]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_parses(example):
    words, command, context = words_of(example), overlaylab, None
    while isinstance(command, click.Group):
        context = command.make_context("overlaylab", words, parent=context)
        _, command, words = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("example", [each for each, sudo in EXAMPLES.items() if not sudo])
def test_an_example_without_sudo_runs_as_written(example, capsys, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "results/reference/walk", tmp_path / "results/reference/walk")
    monkeypatch.chdir(tmp_path)
    status = main(words_of(example))
    out, err = capsys.readouterr()
    assert (status, err) in {(0, ""), (4, "")} if "doctor" in example else (status, err) == (0, "")
    written = [each for each in tmp_path.iterdir() if each.name in words_of(example)]
    assert out or written
