"""What switches do beside what the oracle expects, frame by frame."""

from collections.abc import Iterator
from difflib import unified_diff

from controller.flows.text import normalise
from tests.controller.switches.rig import Rig
from tests.oracle.frames import frames_from
from tests.oracle.oracle import expected


def disagreements(rig: Rig, *, at_most: int | None = None) -> Iterator[str]:
    """A line for each frame with which the switches and the oracle do not agree.

    `at_most`: try that many frames, evenly picked; None: all.
    """
    frames = [frame for port in rig.overlay.ports for frame in frames_from(rig.overlay, port)]
    step = 1 if at_most is None else -(-len(frames) // at_most)
    for frame in frames[::step]:
        wanted, found = expected(rig.overlay, frame), rig.deliver(frame)
        if wanted != found:
            sender = rig.overlay.port_of[frame.sender].name
            yield f"{sender}, {frame}\n  wanted {wanted}\n  found  {found}"


def assert_as_the_oracle_says(rig: Rig, *, at_most: int | None = None) -> None:
    """Frames from every port become what the oracle says; shows the first ten that do not."""
    found = list(disagreements(rig, at_most=at_most))
    assert not found, f"{len(found)} frames:\n" + "\n".join(found[:10])


def assert_dumps_equal_the_offline_text(rig: Rig) -> None:
    """Each switch's own dump is the offline text, letter for letter; shows the difference."""
    differences = [
        line
        for host in rig.overlay.hosts
        for bridge, wanted in rig.texts(host).items()
        for line in _difference(rig, host.name, bridge, wanted)
    ]
    assert not differences, "\n".join(differences)


def _difference(rig: Rig, host: str, bridge: str, wanted: list[str]) -> Iterator[str]:
    dumped = normalise(rig.switches[host].dump(bridge))
    names = (f"{host} {bridge} offline", f"{host} {bridge} dumped")
    return unified_diff(wanted, dumped, *names, lineterm="", n=0)
