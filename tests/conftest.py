"""What every test shares: a level's mark, no silent skips, and evidence when a test fails."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
LEVELS = ("pure", "golden", "rootless", "oracle", "root", "smoke")
HELPERS = (
    "labs",
    "stream",
    "devtools",
    "docs",
    "golden",
    "oracle",
    "controller",
    "topologies",
    "experiments",
)
NEEDS_ROOT = ("root", "smoke")

Evidence = Callable[[str, Callable[[], object]], None]
EVIDENCE = pytest.StashKey[list[tuple[str, Callable[[], object]]]]()

# Helpers say what differed, too: plain `assert` tells it in test modules only.
pytest.register_assert_rewrite(*(f"tests.{part}" for part in HELPERS))

# The deadline is pytest-timeout's: a shared machine makes single examples slow by chance, to draw
# as to try.
settings.register_profile(
    "overlaylab", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# `make fuzz`: tests/fuzz/ tries many new inputs; failures are kept in .hypothesis and tried first.
settings.register_profile("fuzz", settings.get_profile("overlaylab"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "overlaylab"))


def pytest_configure() -> None:
    """Give Ctrl-C its meaning back: a shell's background job ignores it, and so does all it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--needs-root",
        choices=("yes", "no"),
        help="run only tests that need root, or only the others",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark a test without a level as a pure one; leave out what --needs-root leaves out."""
    for item in items:
        if not any(item.get_closest_marker(level) for level in LEVELS):
            item.add_marker("pure")
    if chosen := config.getoption("--needs-root"):
        left_out = [item for item in items if needs_root(item) != (chosen == "yes")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if needs_root(item) == (chosen == "yes")]


def needs_root(item: pytest.Item) -> bool:
    """True if the test starts labs."""
    return any(item.get_closest_marker(level) for level in NEEDS_ROOT)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if os.geteuid() != 0 and needs_root(item):
        pytest.skip("needs root")


@pytest.fixture
def need_root() -> None:
    """The test runs as root, or not at all; under NEED_ROOT=1 the latter is a failure."""
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def need_ryu() -> Path:
    """Ryu's `ryu-manager`, in the environment that `make ready-ryu` makes."""
    manager = ROOT / ".venv-ryu" / "bin" / "ryu-manager"
    if not os.access(manager, os.X_OK):
        pytest.skip("needs Ryu: `make ready-ryu` installs it")
    return manager


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Call with a title and a function; its answer is shown if the test fails.

    The function is called at the moment of failure, before any fixture is undone.
    """
    looks = request.node.stash.setdefault(EVIDENCE, [])
    return lambda title, look: looks.append((title, look))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.failed and call.when != "teardown":
        report.sections += [(title, _seen(look)) for title, look in item.stash.get(EVIDENCE, [])]
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report: Any = yield
    if report.skipped:
        _refuse(report)
    return report


def _seen(look: Callable[[], object]) -> str:
    try:
        return str(look())
    except Exception as error:  # noqa: BLE001  evidence must never hide the failure it is for
        return f"no evidence: {error!r}"


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skip a failure where what it wanted had to be there."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if is_refused(reason, os.environ):
        report.outcome, report.longrepr = "failed", f"{reason} - and it may not be skipped here"


def is_refused(reason: str, environment: "os._Environ[str] | dict[str, str]") -> bool:
    """Whether NEED_ROOT=1 or NEED_RYU=1 forbids a skip for this reason."""
    return any(
        environment.get(f"NEED_{need}", "") not in {"", "0"}
        and re.search(rf"\b{need}\b", reason, re.IGNORECASE)
        for need in ("ROOT", "RYU")
    )
