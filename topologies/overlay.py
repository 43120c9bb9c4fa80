"""The entry for Mininet's `mn`: the topologies by name.

    mn --custom topologies/overlay.py --topo article
    mn --custom topologies/overlay.py --topo overlay,scenario=side-by-side,mode=vxlan-l2pop

`mn` executes this file with the system's Python and without a file name, so it first adds the
project and its virtual environment to Python's path.
"""

import os
import site
import sys


def _find_project() -> None:
    """Add the project first and its .venv last to the path, if they are not on it."""
    here = os.path.abspath(_find_project.__code__.co_filename)  # noqa: PTH100  before all else
    root = os.path.dirname(os.path.dirname(here))  # noqa: PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site.addsitedir(os.path.join(root, ".venv", "lib", version, "site-packages"))  # noqa: PTH118


_find_project()

from controller.system.trusted import leave_working_directory  # noqa: E402
from topologies.nodes import nodes  # noqa: E402
from topologies.nodes.sites import HomeOfficeTopo, SitesTopo  # noqa: E402
from topologies.nodes.topo import ArticleTopo, LeafSpineTopo, OverlayTopo, WanTopo  # noqa: E402


def cleanup() -> None:
    """Take down the lab of this process, nothing else.

    It replaces Mininet's `cleanup`, which `mn` calls when it fails and which would end every ping
    and bridge on the machine.
    """
    if nodes.own_ledger.cache_info().currsize:
        nodes.own_ledger().undo()


leave_working_directory()

topos = {
    "article": ArticleTopo,
    "overlay": OverlayTopo,
    "leaf-spine": LeafSpineTopo,
    "wan": WanTopo,
    "home-office": HomeOfficeTopo,
    "sites": SitesTopo,
}
