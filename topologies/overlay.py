"""Mininet topologies: the article's two hosts, and any scenario.

    mn --custom topologies/overlay.py --topo article
    mn --custom topologies/overlay.py --topo overlay,scenario=side-by-side,mode=vxlan-l2pop

`mn` runs this text with the system's Python and without a file name, so the project and
its virtual environment are first put where Python finds them.
"""

import os
import site
import sys


def _find_project() -> None:
    """Put the project first and its .venv last on the path, if they are not there."""
    here = os.path.abspath(_find_project.__code__.co_filename)  # noqa: PTH100  before all else
    root = os.path.dirname(os.path.dirname(here))  # noqa: PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site.addsitedir(os.path.join(root, ".venv", "lib", version, "site-packages"))  # noqa: PTH118


_find_project()

from topologies.nodes import nodes  # noqa: E402
from topologies.nodes.sites_topo import HomeOfficeTopo, SitesTopo  # noqa: E402
from topologies.nodes.topo import ArticleTopo, LeafSpineTopo, OverlayTopo, WanTopo  # noqa: E402


def cleanup() -> None:
    """Take down this process's lab alone.

    `mn` calls what goes by this name when it fails; Mininet's own would end every ping and
    bridge of the machine.
    """
    if nodes.own_ledger.cache_info().currsize:
        nodes.own_ledger().undo()


topos = {
    "article": ArticleTopo,
    "overlay": OverlayTopo,
    "leaf-spine": LeafSpineTopo,
    "wan": WanTopo,
    "home-office": HomeOfficeTopo,
    "sites": SitesTopo,
}
