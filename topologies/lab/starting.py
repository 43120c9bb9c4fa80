"""Start a lab, and take it down whatever happens in between."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from controller.model.errors import HostError, OverlayError
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from controller.system.process import adopt_orphans
from topologies.lab.kept_logs import with_kept_logs
from topologies.lab.lab import Lab
from topologies.lab.signals import interrupts
from topologies.ledger import Ledger, claim, find
from topologies.nodes import compute, dhcp, routers, sites
from topologies.nodes.net import LabNet
from topologies.nodes.sites import SitesTopo
from topologies.nodes.topo import OverlayTopo

DATAPATHS = ("netdev", "system")


@contextmanager
def started(
    overlay: Overlay | Sites,
    *,
    name: str | None = None,
    datapath: str = "netdev",
    app: str = "os-ken",
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Lab]:
    """Start a lab of `overlay` and wait until it is ready; take it down at the end of the block.

    SIGINT, SIGTERM and SIGHUP become KeyboardInterrupt; during the clean-up they have to wait.

    Raises:
        HostError: this machine cannot run it.
        LabError: the name is taken, or the lab was not ready in time.
        KeyboardInterrupt: a signal came, possibly during the clean-up.
    """
    assert_able(datapath)
    compute.assert_able(overlay, datapath)
    if isinstance(overlay, Sites):
        sites.assert_able()
    else:
        dhcp.assert_able(overlay)
        routers.assert_able(overlay)
    adopt_orphans()
    nets: list[Any] = []
    with interrupts() as signals:
        signals.shielded = True
        ledger = claim(name)
        try:
            signals.open()
            about = {"sites" if isinstance(overlay, Sites) else "overlay": overlay}
            try:
                lab = _start(ledger, nets, {**about, "datapath": datapath, "app": app}, say)
            except OverlayError as error:
                raise with_kept_logs(error, ledger) from error
            yield lab
        finally:
            signals.shielded = True
            try:
                say(f"taking down {ledger.name}")
            finally:  # `say` may fail, as when its reader has ended
                _undo(ledger, nets)


def _start(
    ledger: Ledger, nets: list[Any], params: dict[str, Any], say: Callable[[str], None]
) -> Lab:
    say(f"starting {ledger.name}: nodes and links")
    topo = (SitesTopo if "sites" in params else OverlayTopo)(ledger=ledger, **params)
    nets.append(LabNet(topo=topo, controller=None, build=False))
    nets[0].build()
    say(f"starting {ledger.name}: switches{'' if 'sites' in params else ' and controller'}")
    nets[0].start()
    say(f"{ledger.name} is ready")
    return Lab(ledger, nets[0])


def _undo(ledger: Ledger, nets: list[Any]) -> None:
    """End all processes, then close the terminals of the shells that Mininet opened."""
    try:
        ledger.undo()
    finally:
        for net in nets:
            for node in net.values():
                with suppress(OSError):
                    node.terminate()


def attach(name: str) -> Lab:
    """The lab called `name`, started by another process.

    Raises:
        LabError: there is no such lab.
    """
    return Lab(find(name))


def assert_able(datapath: str) -> None:
    """Check that this machine can start a lab.

    Raises:
        HostError: it cannot; the message names what is missing.
    """
    if os.geteuid() != 0:
        raise HostError(
            "not root",
            where="this process",
            allowed="root",
            do="Use `sudo`.",
        )
    if datapath not in DATAPATHS:
        raise HostError(
            repr(datapath), where="datapath", allowed=", ".join(DATAPATHS), do="Pick one."
        )
    if datapath == "system" and not Path("/sys/module/openvswitch").exists():
        raise HostError(
            "no openvswitch kernel module",
            where="datapath 'system'",
            allowed="a kernel that has it loaded",
            do="`modprobe openvswitch`, or use datapath 'netdev'.",
        )
