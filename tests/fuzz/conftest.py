"""Says at the end how many inputs of each kind were tried."""

import time

import pytest

from tests.fuzz.tried import TRIED, UNTIL_S
from topologies.ledger import HOME_VARIABLE


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory of one's own, no lab to be seen, and no permission to start one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "labs"))
    monkeypatch.setattr("os.geteuid", lambda: 1)
    return tmp_path


@pytest.fixture(autouse=True)
def _in_time():
    if time.time() > UNTIL_S:
        pytest.skip("the time of `make fuzz` is over")


def pytest_terminal_summary(terminalreporter):
    if TRIED:
        terminalreporter.write_line(f"inputs tried: {dict(sorted(TRIED.items()))}")
