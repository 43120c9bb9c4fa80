"""A lab that is up, whoever raised it: run in it, plug into it, ask its controller."""

import signal as signals
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from controller.model.errors import LabError
from controller.model.overlay import Overlay
from controller.model.sites import Sites
from controller.system import commands
from controller.system.process import is_alive
from topologies.lab.attached import attached_net
from topologies.ledger import Ledger, NodeEntry
from topologies.nodes.api_client import call_api
from topologies.nodes.neutron import relaunch
from topologies.nodes.ready import await_ready, overlay_of
from topologies.nodes.sites_ready import await_tunnel, sites_of
from topologies.plan.ovs import ENVIRONMENT


class LabBase:
    """One lab.  Nodes: compute hosts and guests by name, and neutron, underlay, management.

    What it is made of stands in its ledger, so the object that raised it and one made by
    `attach` in another process can do the same.
    """

    def __init__(self, ledger: Ledger, net: Any = None) -> None:
        self.ledger, self._net = ledger, net

    @property
    def name(self) -> str:
        """Its name."""
        return self.ledger.name

    @property
    def directory(self) -> Path:
        """Where its files are; only root may look."""
        return self.ledger.directory

    @property
    def overlay(self) -> Overlay:
        """The overlay as the controller has it now.

        Raises:
            LabError: the lab has two sites and no controller.
        """
        self._assert_hosts()
        return overlay_of(self.ledger)

    def _assert_hosts(self) -> None:
        if self.sites:
            raise LabError(
                "two sites, no compute hosts",
                where=f"lab {self.name!r}",
                allowed="a lab of a scenario with `hosts:`",
                do="Raise one, such as `article`.",
            )

    @cached_property
    def sites(self) -> Sites | None:
        """The sites it was raised for; None if it has compute hosts and a controller instead."""
        return sites_of(self.ledger)

    def nodes(self) -> dict[str, NodeEntry]:
        """Its nodes by name."""
        return self.ledger.nodes()

    def node(self, name: str) -> NodeEntry:
        """The node called `name`.

        Raises:
            LabError: there is none, or it is dead.
        """
        nodes = self.nodes()
        found = nodes.get(name)
        if found is None or not is_alive(found.keeper):
            raise LabError(
                f"no node {name!r}" if found is None else f"node {name!r} is dead",
                where=f"lab {self.name!r}",
                allowed=", ".join(nodes),
                do=f"`overlaylab status {self.name}` lists them.",
            )
        return found

    def pid(self, node: str) -> int:
        """A process in the namespaces of `node`."""
        return self.node(node).keeper.pid

    def run(self, node: str, *argv: str, timeout_s: float = 10) -> str:
        """Run argv in `node` to its end; return its stdout.

        Raises:
            CommandError: it could not start, exited non-zero, or outlived `timeout_s`.
        """
        pid, mark = self.pid(node), self.ledger.token
        return commands.run(*argv, pid=pid, mark=mark, env=ENVIRONMENT, timeout_s=timeout_s)

    def attempt(
        self, node: str, *argv: str, timeout_s: float = 10
    ) -> "subprocess.CompletedProcess[str]":
        """As `run`, but an exit status other than 0 is an answer, not an error."""
        pid, mark = self.pid(node), self.ledger.token
        return commands.attempt(*argv, pid=pid, mark=mark, env=ENVIRONMENT, timeout_s=timeout_s)

    def start(
        self,
        node: str,
        *argv: str,
        stdout: Path | IO[Any] | int = subprocess.DEVNULL,
        stderr: Path | IO[Any] | int = subprocess.STDOUT,
    ) -> "subprocess.Popen[bytes]":
        """Start argv in `node`; it ends with the lab, if not before."""
        role, pid = f"{argv[0]} in {node}", self.pid(node)
        _, child = self.ledger.start(role, *argv, pid=pid, stdout=stdout, stderr=stderr)
        return child

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request to the controller's API.

        Raises:
            LabError: the API is not there, or refused; the message says why.
        """
        self._assert_hosts()
        return call_api(self.directory, method, path, body)

    def await_ready(self, *, timeout_s: float = 60) -> None:
        """Wait until every port is wired, every flow in, every VTEP neighbour resolved.

        Raises:
            LabError: something still is missing; the message names it.
        """
        if self.sites:
            await_tunnel(self.ledger, self.sites, timeout_s=timeout_s)
        else:
            await_ready(self.ledger, timeout_s=timeout_s)

    def restart_controller(self, *, signal: int = signals.SIGKILL) -> None:
        """End the controller by `signal` and start it anew; return when all is ready again."""
        self._assert_hosts()
        relaunch(self.ledger, number=signal)
        self.await_ready()

    @cached_property
    def net(self) -> Any:
        """The Mininet object: the one that raised the lab, or one made over its living nodes."""
        return self._net or attached_net(self.ledger)
