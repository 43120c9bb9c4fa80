"""The node of the controller, on the management network."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from controller.model.check import MANAGEMENT_NETWORK
from controller.model.errors import HostError
from controller.model.overlay import Overlay
from controller.model.parts import Host, Mechanism
from controller.model.serial import dump_state
from controller.switches.linuxbridge_worker import netns_address
from controller.system.process import Identity, await_end, kill, send
from topologies.ledger import Ledger, as_json
from topologies.nodes import dhcp
from topologies.nodes.keeper import ip_batch
from topologies.nodes.nodes import Machine
from topologies.nodes.ready import await_ready
from topologies.one_change import one_change
from topologies.plan import plan

PROJECT = Path(__file__).resolve().parents[2]
END_S = 10.0  # for a controller to end after a signal
APPS = ("os-ken", "ryu")
# Isolated mode: neither the working directory nor PYTHONPATH is searched for modules.  The first
# argument has the paths that are.  `python -P -m` would do, but Python 3.10 does not have it.
RUN_MODULE = (
    "import os, sys; sys.path[:0] = sys.argv.pop(1).split(os.pathsep);"
    " import runpy; runpy.run_module('controller', run_name='__main__', alter_sys=True)"
)
ISOLATED = ("-I", "-c", RUN_MODULE)
RYU_VARIABLE = "OVERLAYLAB_RYU_MANAGER"


class Neutron(Machine):
    """The controller's node, on the management network only."""

    kind = "neutron"

    def start(self, controllers: Any) -> None:  # noqa: ARG002
        """Start the controller first, so that it loads while the hosts start."""
        overlay: Overlay = self.params["overlay"]
        address = f"{plan.NEUTRON_IP}/{MANAGEMENT_NETWORK.prefixlen}"
        lines = ["link set lo up", f"addr add {address} dev {plan.MANAGEMENT}"]
        ip_batch(self.pid, [*lines, f"link set {plan.MANAGEMENT} up"])
        directory = self.ledger.directory
        nodes = self.ledger.nodes()
        ovsdb = {
            host.name: agent_address(host, index, nodes[host.name].keeper)
            for index, host in enumerate(overlay.hosts)
        }
        self.ledger.write("state.json", dump_state(overlay, ovsdb))
        configuration = {
            "listen_ip": str(plan.NEUTRON_IP),
            "listen_port": plan.OPENFLOW_PORT,
            "state": str(directory / "state.json"),
            "api_socket": str(directory / "api.sock"),
        }
        self.ledger.write("controller.json", json.dumps(configuration))
        datapath = plan.datapath_of(overlay, self.params["datapath"])
        self.ledger.note("settings", app=self.params["app"], datapath=datapath)
        launch(self.ledger, self.pid, self.params["app"])

    @classmethod
    def batchStartup(cls, switches: Iterable["Neutron"]) -> list["Neutron"]:  # noqa: N802
        """Mininet's last hook (it sorts by class name): wait until the lab is ready, then start DHCP."""
        nodes = list(switches)
        for node in nodes:
            await_ready(node.ledger)
            dhcp.bring_up(node.ledger, node.params["overlay"])
        return nodes


def agent_address(host: Host, index: int, keeper: Identity) -> str:
    """Where the controller finds host number `index`: its OVSDB, or its namespaces."""
    if host.mechanism is Mechanism.LINUXBRIDGE:
        return netns_address(keeper)
    return f"tcp:{plan.management_ip(index)}:{plan.OVSDB_PORT}"


def launch(ledger: Ledger, pid: int, app: str) -> None:
    """Start the controller in the namespaces of `pid`, and record it."""
    config = ledger.directory / "controller.json"
    started, _ = ledger.start(
        "controller",
        *_command(app, config),
        pid=pid,
        env=_environment(app, config),
        stdout=ledger.directory / "controller.log",
    )
    ledger.note("controller", **as_json(started))


def _command(app: str, config: Path) -> tuple[str, ...]:
    if app == "os-ken":
        ours = [path for path in sys.path if path.endswith("site-packages")]  # `mn` has added some
        paths = os.pathsep.join([str(PROJECT), *ours])
        return (sys.executable, *ISOLATED, paths, str(config))
    if app == "ryu":
        return (str(ryu_manager()), str(PROJECT / "controller" / "app.py"))
    raise HostError(
        f"controller app {app!r}", where="lab", allowed=", ".join(APPS), do="Pick one of them."
    )


def ryu_manager() -> Path:
    """The path of `ryu-manager`.

    Raises:
        HostError: Ryu is not installed.
    """
    manager = Path(os.environ.get(RYU_VARIABLE, PROJECT / ".venv-ryu/bin/ryu-manager"))
    if not os.access(manager, os.X_OK):
        raise HostError(
            "no Ryu",
            where=str(manager),
            allowed="an environment with Ryu 4.34",
            do="`make ready-ryu` installs it.",
        )
    return manager


def _environment(app: str, config: Path) -> dict[str, str]:
    found = {"OVERLAYLAB_CONTROLLER": str(config)}
    if app == "ryu":  # its manager is a script, so that no path of the caller is searched
        found |= {"PYTHONPATH": str(PROJECT), "PYTHONNOUSERSITE": "1"}
    return found


def relaunch(ledger: Ledger, *, number: int = 0) -> bool:
    """Start the controller if it does not run; with a signal `number`, end it first.

    Returns whether it was started; another process may have done so meanwhile.

    Raises:
        LabError: another process has not finished to do so in time.
    """
    with one_change(ledger.directory, "restart of the controller", lock="controller.lock"):
        running = ledger.living("controller")
        if running and not number:
            return False
        if running:
            send(running, number)
            if await_end([running], timeout_s=END_S):
                kill([running])
        ledger.collect()
        app = ledger.last("settings")["app"]
        launch(ledger, ledger.nodes()[plan.NEUTRON].keeper.pid, app)
        return True
