"""Dummy switches, made when first wanted and used again: a test gets them without bridges."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

import pytest

from controller.model.overlay import Overlay
from tests.controller.switches.live import OS_KEN, Controller
from tests.controller.switches.rig import Rig
from tests.controller.switches.switch import Switch

Lend = Callable[[Overlay], dict[str, Switch]]


@pytest.fixture(scope="session")
def switches() -> Iterator[list[Switch]]:
    """The switches there are; `lend` adds what it needs.  Undone at the session's end: all."""
    made: list[Switch] = []
    with ExitStack() as undo:
        undo.callback(lambda: [switch.close() for switch in made])
        yield made


@pytest.fixture
def lend(switches: list[Switch]) -> Iterator[Lend]:
    """Call with an overlay: a switch for each host.  Undone: every bridge on them."""
    used: dict[str, Switch] = {}

    def lent(overlay: Overlay) -> dict[str, Switch]:
        while len(switches) < len(overlay.hosts):
            switches.append(Switch())
        used.update(zip((host.name for host in overlay.hosts), switches, strict=False))
        return used

    yield lent
    for switch in used.values():
        switch.clear()


@pytest.fixture
def rig(lend: Lend) -> Callable[[Overlay], Rig]:
    """Call with an overlay: its hosts, wired, without flows."""
    return lambda overlay: Rig(overlay, lend(overlay))


@pytest.fixture
def live_rig(lend: Lend) -> Iterator[Callable[..., Rig]]:
    """Call with an overlay, and a program: its hosts, wired, and the controller has done its work.

    The rig's `controller` is that process.  Undone: the process, its files.
    """
    with ExitStack() as undo:

        def governed(overlay: Overlay, program: tuple[str, ...] = OS_KEN) -> Rig:
            home = Path(mkdtemp(prefix="ol-"))
            undo.callback(shutil.rmtree, home)
            switches = lend(overlay)
            controller = Controller(home, overlay, switches, program)
            undo.callback(controller.close)
            laid = Rig(overlay, switches, controller.openflow)
            controller.wait_until_wired()
            laid.controller = controller
            return laid

        yield governed
