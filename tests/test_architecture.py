"""Values above, effects below: what each module may import, read from its source."""

import ast
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

import experiments
from controller.system import commands
from experiments.core import registry

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("overlaylab", "topologies", "controller", "experiments")

# Packages and modules that hold values only, by where they are.
PURE = re.compile(
    r"controller\.(model|flows|explain)\b.*|topologies\.(plan|scenario)\b.*"
    r"|experiments\.\w+\.(words|figure\w*|report\w*)"
)

# What touches the world, or differs from call to call.
EFFECTS = {
    "asyncio",
    "datetime",
    "eventlet",
    "fcntl",
    "mininet",
    "multiprocessing",
    "os_ken",
    "pty",
    "random",
    "ryu",
    "secrets",
    "shutil",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "uuid",
    "waitress",
}
# Pure, although the module it comes from is not.
HARMLESS = {
    "datetime.timedelta",
    "uuid.NAMESPACE_URL",
    "uuid.UUID",
    "uuid.uuid5",
    "subprocess.CompletedProcess",
    "subprocess.DEVNULL",
    "subprocess.PIPE",
    "subprocess.STDOUT",
    "subprocess.TimeoutExpired",
}

FRAMEWORKS = {"os_ken", "ryu"}
FRAMEWORK_DOOR = "controller.switches.framework"
PROCESS_DOOR = "controller.system.commands"
PROCESS_MODULES = {"subprocess", "pty", "multiprocessing"}
PROCESS_CALLS = {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"}
PROCESS_PREFIXES = ("exec", "spawn")
ALLOWED = {
    "experiments.run": {"execv"},  # the bootstrap becomes .venv's Python
    "topologies.lab.holder": {"fork"},  # `up --detach`: this process goes on as the lab's holder
}

LAB_SIDE = ("mininet", "os_ken", "ryu", "topologies.lab", "topologies.nodes", "topologies.trace")
FOLDER = {"question", "probe", "report", "figure"}  # what every experiment has, at least
LONGEST = 400


def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {_dotted(path): path for path in found}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(source: ast.Module) -> Iterator[str]:
    """Dotted names imported anywhere in a module, inside functions too, but not for types alone."""
    for node in _nodes(source):
        if isinstance(node, ast.Import):
            yield from (each.name + (".*" if each.asname else "") for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) in {
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    }:
        children: Iterator[ast.AST] = iter(node.orelse)
    else:
        yield node
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from _nodes(child)


def top(name: str) -> str:
    return name.partition(".")[0]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def project_imports(source: ast.Module, known: dict[str, Path]) -> set[str]:
    """The project's modules that one imports: `a.b.c` is module `a.b.c`, or a name in `a.b`."""
    wanted = {name.removesuffix(".*") for name in imports(source) if top(name) in PACKAGES}
    return {name if name in known else name.rpartition(".")[0] for name in wanted} & set(known)


def reach(name: str, known: dict[str, Path]) -> set[str]:
    """The modules that `name` imports, and those that they import, and so on, itself included."""
    seen, waiting = set(), [name]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += project_imports(tree(known[each]), known)
    return seen


def effects(source: ast.Module, suspects: Collection[str] = EFFECTS) -> set[str]:
    found = {name for name in imports(source) if top(name) in suspects}
    mixed = found & {top(name) for name in HARMLESS}  # imported whole: what is used of it counts
    return (found - mixed | _used_of(mixed, source)) - HARMLESS


def _used_of(names: set[str], source: ast.Module) -> set[str]:
    used = {ast.unparse(node) for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    return {each for each in used if top(each) in names and each.count(".") == 1}


def process_starts(source: ast.Module) -> set[str]:
    """How a module starts processes, other than through `controller.system.commands`."""
    from_os = {name.partition(".")[2] for name in imports(source) if top(name) == "os"}
    called = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os"
    }
    return effects(source, PROCESS_MODULES) | {
        name
        for name in from_os | called
        if name in PROCESS_CALLS or name.startswith(PROCESS_PREFIXES)
    }


EXISTING = modules()


@pytest.mark.parametrize("name", [name for name in EXISTING if PURE.fullmatch(name)])
def test_a_pure_module_reaches_no_effect(name):
    found = {each: effects(tree(EXISTING[each])) for each in reach(name, EXISTING)}
    assert {each: names for each, names in found.items() if names} == {}


def test_one_module_starts_processes():
    found = {name: process_starts(tree(path)) for name, path in EXISTING.items()}
    del found[PROCESS_DOOR]
    left = {name: starts - ALLOWED.get(name, set()) for name, starts in found.items()}
    assert {name: starts for name, starts in left.items() if starts} == {}


def test_one_module_names_the_framework():
    """By import, or as the text that an import is made from."""

    def is_naming(source: ast.Module) -> bool:
        texts = {
            node.value.partition(".")[0]
            for node in ast.walk(source)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value
        }
        return bool(FRAMEWORKS & ({top(name) for name in imports(source)} | texts))

    assert {name for name, path in EXISTING.items() if is_naming(tree(path))} <= {FRAMEWORK_DOOR}


def test_reports_are_imported_without_a_lab():
    """In a fresh interpreter: what one of them imported by a side way would be seen, too."""
    reports = [f"experiments.{name}.report" for name in registry.names()]
    script = (
        "import importlib, sys\n"
        f"for name in {[*reports, 'experiments.show.pages.redraw']}: importlib.import_module(name)\n"
        f"print([n for n in sys.modules if n.startswith({LAB_SIDE}) or n.endswith('.probe')])"
    )
    done = commands.run(sys.executable, "-c", script, env={"PYTHONPATH": str(ROOT)}, timeout_s=60)
    assert done == "[]\n"


def test_every_experiment_has_the_same_files():
    files = {
        name: FOLDER - {path.stem for path in (ROOT / "experiments" / name).glob("*.py")}
        for name in registry.names()
    }
    assert {name: missing for name, missing in files.items() if missing} == {}


def test_a_folder_is_all_that_registers_an_experiment(monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("__init__", "question", "probe"):
        (tmp_path / "mine" / f"{name}.py").touch()
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    registry.names.cache_clear()
    try:
        assert "mine" in registry.names()
    finally:
        registry.names.cache_clear()


def test_modules_are_short():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in EXISTING.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_module_is_a_drawer_for_odds_and_ends():
    ends = {name.rpartition(".")[2] for name in EXISTING}
    assert not ends & {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import subprocess\nsubprocess.run(['true'])", {"subprocess.run"}),
        ("import subprocess as s\ns.run(['true'])", {"subprocess.*"}),
        ("import subprocess\ndef f(done: subprocess.CompletedProcess): ...", set()),
        ("def f():\n    from subprocess import run", {"subprocess.run"}),
        ("import os\nos.system('true')", {"system"}),
        ("from os import execvp", {"execvp"}),
        ("import os\nos.path.join('a')", set()),
    ],
)
def test_the_reader_sees_how_a_process_starts(text, found):
    assert process_starts(ast.parse(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import time\ntime.sleep(1)", {"time"}),
        ("import os_ken.base.app_manager", {"os_ken.base.app_manager"}),
        ("def f():\n    import random", {"random"}),
        ("from uuid import UUID", set()),
        ("from uuid import uuid4", {"uuid.uuid4"}),
        ("import uuid\nuuid.UUID(int=1).hex\nuuid.uuid1()", {"uuid.uuid1"}),
        ("if TYPE_CHECKING:\n    import socket\nelse:\n    import ssl", {"ssl"}),
    ],
)
def test_the_reader_sees_an_effect(text, found):
    assert effects(ast.parse(text)) == found


def test_the_reader_follows_imports(tmp_path):
    texts = {
        "topologies.a": "from topologies.b import x",
        "topologies.b": "import topologies.c",
        "topologies.c": "",
        "topologies.d": "",
    }
    known = {name: tmp_path / name for name in texts}
    for name, text in texts.items():
        known[name].write_text(text)
    assert reach("topologies.a", known) == {"topologies.a", "topologies.b", "topologies.c"}
