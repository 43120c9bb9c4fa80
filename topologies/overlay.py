"""The entry for Mininet's `mn`: the topologies by name.

    mn --custom topologies/overlay.py --topo article
    mn --custom topologies/overlay.py --topo overlay,scenario=side-by-side,mode=vxlan-l2pop

`mn` executes this file with the system's Python and without a file name, so it first adds the
project and its virtual environment to Python's path.
"""

import os
import site
import sys
from typing import Any


def _find_project() -> None:
    """Add the project first and its .venv last to the path, if they are not on it."""
    here = os.path.abspath(_find_project.__code__.co_filename)  # noqa: PTH100  before all else
    root = os.path.dirname(os.path.dirname(here))  # noqa: PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site.addsitedir(os.path.join(root, ".venv", "lib", version, "site-packages"))  # noqa: PTH118


_find_project()

from mininet import cli as mininet_cli  # noqa: E402
from mininet import net as mininet_net  # noqa: E402

from controller.system.trusted import ignore_working_directory  # noqa: E402
from topologies.lab.kept_logs import keep_logs  # noqa: E402
from topologies.lab.shell import Shell  # noqa: E402
from topologies.nodes import nodes  # noqa: E402
from topologies.nodes.net import LabNet  # noqa: E402
from topologies.nodes.sites import HomeOfficeTopo, SitesTopo  # noqa: E402
from topologies.nodes.topo import ArticleTopo, LeafSpineTopo, OverlayTopo, WanTopo  # noqa: E402


def Mininet(topo: Any = None, **options: Any) -> Any:  # noqa: N802
    """Replaces Mininet's own in `mn`: of a lab, with pings and iperf that fit an overlay."""
    is_lab = isinstance(topo, OverlayTopo | SitesTopo)
    return (LabNet if is_lab else mininet_net.Mininet)(topo=topo, **options)


def CLI(net: Any, **options: Any) -> Any:  # noqa: N802
    """Replaces Mininet's own in `mn`: of a lab, with commands that do not touch anything else."""
    return (Shell if isinstance(net, LabNet) else mininet_cli.CLI)(net, **options)


def cleanup() -> None:
    """Take down the lab of this process, nothing else, and keep its logs.

    It replaces Mininet's `cleanup`, which `mn` calls when it fails and which would end every ping
    and bridge on the machine.
    """
    if nodes.own_ledger.cache_info().currsize:
        ledger = nodes.own_ledger()
        kept = None if isinstance(sys.exc_info()[1], KeyboardInterrupt) else keep_logs(ledger)
        ledger.undo()
        if kept:
            print(f"The logs of the lab are in {kept}", file=sys.stderr)


ignore_working_directory()

topos = {
    "article": ArticleTopo,
    "overlay": OverlayTopo,
    "leaf-spine": LeafSpineTopo,
    "wan": WanTopo,
    "home-office": HomeOfficeTopo,
    "sites": SitesTopo,
}
