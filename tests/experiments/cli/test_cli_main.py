"""How the command line starts a command, and what it makes of how that ends."""

import os
import sys

import click
import pytest

from controller.model.errors import (
    CommandError,
    HostError,
    LabError,
    MeasureError,
    ModelError,
    ModelErrors,
    PipelineError,
    SwitchError,
    UsageError,
)
from experiments.cli import main as cli
from experiments.core import registry


def error(kind: type[Exception]) -> Exception:
    return kind("found", where="where", allowed="allowed", do="Do.")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    """Puts a function in the place of every command."""

    def put(run, *params: click.Parameter) -> None:
        made = click.Command("any", callback=run, params=list(params))
        monkeypatch.setattr(cli.Commands, "get_command", lambda *_: made)

    return put


def raising(what: BaseException):
    def run() -> None:
        raise what

    return run


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UsageError, 2),
        (ModelError, 2),
        (HostError, 4),
        (CommandError, 1),
        (SwitchError, 1),
        (LabError, 1),
        (MeasureError, 1),
        (PipelineError, 1),
    ],
)
def test_an_error_is_one_line_with_its_exit_status(capsys, command, kind, status):
    command(raising(error(kind)))
    assert cli.main(["any"]) == status
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "overlaylab: where: found; allowed: allowed. Do.\n")


def test_several_errors_have_a_line_each(capsys, command):
    command(raising(ModelErrors([error(ModelError), error(ModelError)])))
    assert cli.main(["any"]) == 2
    assert capsys.readouterr().err == "overlaylab: where: found; allowed: allowed. Do.\n" * 2


@pytest.mark.parametrize("end", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_is_130(capsys, command, end):
    command(raising(end))
    assert cli.main(["any"]) == 130
    assert capsys.readouterr().err == "overlaylab: interrupted\n"


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_the_status_of_a_command_is_kept(command, returned, status):
    command(lambda: returned)
    assert cli.main(["any"]) == status


def test_a_command_can_exit_by_its_context(command):
    command(lambda: click.get_current_context().exit(3))
    assert cli.main(["any"]) == 3


def test_an_unexpected_exception_is_not_hidden(command):
    command(raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["any"])


@pytest.mark.parametrize("words", [[], ["--quick"], ["--seed", "4"]])
def test_without_a_command_it_runs_the_experiments(monkeypatch, words):
    started = []
    monkeypatch.setattr(cli, "_invoke", started.append)
    assert cli.main(words) == 0
    assert started == [["run", *words]]


@pytest.mark.parametrize("experiment", sorted(registry.names()))
def test_an_experiment_s_name_is_run(monkeypatch, experiment):
    started = []
    monkeypatch.setattr(cli, "_invoke", started.append)
    assert cli.main([experiment, "--quick"]) == 0
    assert started == [["run", experiment, "--quick"]]


def test_no_experiment_has_the_name_of_a_command():
    assert not set(registry.names()) & cli.overlaylab.commands.keys()


@pytest.mark.parametrize("words", [["trace", "lab", "a", "b"], ["run", "walk", "--quick"]])
def test_a_command_is_invoked_as_given(monkeypatch, words):
    started = []
    monkeypatch.setattr(cli, "_invoke", started.append)
    assert cli.main(words) == 0
    assert started == [words]


def test_programs_in_sbin_are_found_without_sbin_in_the_path(monkeypatch, command):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    command(lambda: None)

    cli.main(["any"])
    cli.main(["any"])

    assert os.environ["PATH"] == "/usr/bin:/bin:/usr/sbin:/sbin"


def test_arguments_are_those_of_the_process_by_default(monkeypatch):
    started = []
    monkeypatch.setattr(cli, "_invoke", started.append)
    monkeypatch.setattr(sys, "argv", ["overlaylab", "list"])
    cli.main()
    assert started == [["list"]]


def test_version_is_one_line(capsys):
    assert cli.main(["--version"]) == 0
    name, _, version = capsys.readouterr().out.strip().partition(" ")
    assert name == "overlaylab"
    assert version


def test_help_shows_the_commands_of_the_design(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "Usage: overlaylab" in out
    for name in ("list", "validate", "flows"):
        assert f"\n  {name} " in out


def test_every_command_is_found_by_its_name():
    context = click.Context(cli.overlaylab)
    for name in cli.overlaylab.commands:
        found = cli.overlaylab.get_command(context, name)
        assert found is not None
        assert found.name == name


def test_a_closed_pipe_gives_status_141(monkeypatch, command):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        command(lambda: print("x"))
        assert cli.main(["any"]) == 141
