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

from controller.model.errors import OverlayError
from experiments.cli.trace_text import Trace
from experiments.show.result import Result, read
from overlaylab.labs import RunningLab, lab, load
from overlaylab.runs import run

__all__ = ["OverlayError", "Result", "RunningLab", "Trace", "lab", "load", "read", "run"]
