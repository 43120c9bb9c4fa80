"""Labs and measurements from Python: notebooks, scripts, lessons.

    import overlaylab as ol

    with ol.lab("article", mode="vxlan-l2pop") as lab:  # needs root
        lab.ping("ServerA", "ServerB", count=20)
        lab.flows("controller", "br-tun")
        print(lab.trace("ServerA", "ServerB"))

    run = ol.read("results/reference/fanout")  # needs neither root nor a lab
    run.table("vteps")
    run.figure()

docs/python.md has every call; docs/notebook.ipynb uses them from start to picture.
"""

from typing import TYPE_CHECKING, Any

from controller.model.errors import OverlayError
from overlaylab.runs import Result, read, run
from topologies.scenario.load import load as _load

if TYPE_CHECKING:
    from controller.model.overlay import Overlay
    from controller.model.sites import Sites
    from overlaylab.labs import RunningLab, Trace, lab

__all__ = ["OverlayError", "Result", "RunningLab", "Trace", "lab", "load", "read", "run"]


def load(scenario: str) -> "Overlay | Sites":
    """The overlay (or the two sites) that a scenario describes, without a lab.

    Args:
        scenario: a name of `overlaylab list`, or the path of a .yaml file.

    Raises:
        OverlayError: the scenario cannot be read; the message has every error in it.
    """
    return _load(scenario).described


def __getattr__(name: str) -> Any:
    """Import what starts labs when it is used: only there is Mininet needed."""
    if name in {"RunningLab", "Trace", "lab"}:
        from overlaylab import labs

        return getattr(labs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
