"""The controller as an app of os-ken or Ryu: passes its events to the `Engine`.

`python -m controller CONFIG` runs it under os-ken, `ryu-manager controller/app.py` with
OVERLAYLAB_CONTROLLER=CONFIG under Ryu.  CONFIG is a JSON file: listen_ip, listen_port,
state (file of the overlay), api_socket.
"""

import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

if str(Path(__file__).resolve().parents[1]) not in sys.path:  # ryu-manager loads this file by path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from controller.api.server import serve
from controller.api.wsgi import make_api
from controller.model.errors import UsageError
from controller.model.serial import load_state
from controller.switches import framework
from controller.switches.engine import Engine
from controller.switches.framework import DEAD, MAIN, events, set_ev_cls
from controller.switches.session import Session

CONFIG_ENV = "OVERLAYLAB_CONTROLLER"
LOG = logging.getLogger(__name__)


def read_config() -> dict[str, Any]:
    """The settings from the file that OVERLAYLAB_CONTROLLER names.

    Raises:
        UsageError: it names no file that can be read.
    """
    path = os.environ.get(CONFIG_ENV, "")
    try:
        config: dict[str, Any] = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path!r}: {error}",
            where=CONFIG_ENV,
            allowed="a controller.json of a lab",
            do="`overlaylab up` writes one and starts the controller.",
        ) from error
    return config


class OverlayApp(framework.App):  # type: ignore[misc]  # the framework has no types
    """Keeps the switches' sessions and passes replies to them."""

    OFP_VERSIONS = (framework.OPENFLOW_13,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = read_config()
        framework.listen_on(config["listen_ip"], config["listen_port"])
        state = Path(config["state"])
        overlay, ovsdb = load_state(state.read_text())
        self.engine = Engine(overlay, ovsdb, state)
        self.sessions: dict[int, Session] = {}  # by the identity of the framework's datapath
        self.api = serve(make_api(self.engine), Path(config["api_socket"]))
        threading.Thread(target=self.api.run, name="api", daemon=True).start()
        self.engine.start()
        LOG.info("%s on %s:%s", framework.NAME, config["listen_ip"], config["listen_port"])

    @set_ev_cls(events.EventOFPStateChange, [MAIN, DEAD])  # type: ignore[untyped-decorator]
    def _state_change(self, event: Any) -> None:
        datapath = event.datapath
        if event.state == MAIN:
            session = self.sessions[id(datapath)] = Session(datapath)
            self.engine.connected(session)
        elif (ended := self.sessions.pop(id(datapath), None)) is not None:
            self.engine.disconnected(ended)

    @set_ev_cls(events.EventOFPPortStatus, MAIN)  # type: ignore[untyped-decorator]
    def _port_status(self, event: Any) -> None:
        self.engine.wake(event.msg.datapath.id)

    @set_ev_cls(  # type: ignore[untyped-decorator]
        [
            events.EventOFPFlowStatsReply,
            events.EventOFPBarrierReply,
            events.EventONFBundleCtrlMsg,
            events.EventOFPErrorMsg,
        ],
        MAIN,
    )
    def _reply(self, event: Any) -> None:
        session = self.sessions.get(id(event.msg.datapath))
        if session is None or not session.deliver(event.msg):
            LOG.warning("no request for this reply: %s", type(event.msg).__name__)
