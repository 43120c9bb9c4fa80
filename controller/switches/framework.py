"""The only module that imports the controller framework: os-ken, or Ryu 4.34.

Ryu under `ryu-manager`, os-ken otherwise.  Their APIs differ only in the names of the package and
the base class, so the rest of the project imports from here.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

IS_RYU = "ryu.base.app_manager" in sys.modules
_ROOT = "ryu" if IS_RYU else "os_ken"

if IS_RYU:
    # ryu-manager patches sockets but not `threading`: a native thread that holds a lock would
    # block its green threads.  With this, our threads are green, too.
    importlib.import_module("eventlet").monkey_patch(thread=True)

_handler = importlib.import_module(f"{_ROOT}.controller.handler")
_app_manager = importlib.import_module(f"{_ROOT}.base.app_manager")

NAME = "ryu" if IS_RYU else "os-ken"
App: type[Any] = _app_manager.RyuApp if IS_RYU else _app_manager.OSKenApp
set_ev_cls: Callable[..., Any] = _handler.set_ev_cls
MAIN, DEAD = _handler.MAIN_DISPATCHER, _handler.DEAD_DISPATCHER
events: Any = importlib.import_module(f"{_ROOT}.controller.ofp_event")
OPENFLOW_13: int = importlib.import_module(f"{_ROOT}.ofproto.ofproto_v1_3").OFP_VERSION


def listen_on(ip: str, port: int) -> None:
    """Set the address for switches; call it before the framework's OpenFlow handler starts."""
    conf = importlib.import_module(f"{_ROOT}.cfg").CONF
    conf.set_override("ofp_listen_host", ip)
    conf.set_override("ofp_tcp_listen_port", port)


class _Never(BaseException):
    """An exception that is never raised."""


def start_app(module: str) -> None:
    """Load and start the app in `module` in threads; returns at once.  os-ken only.

    `AppManager.run_apps` is not used: it ends in `Thread.kill`, which os-ken 4.2 lacks.
    """
    # With native threads TaskExit is Exception, and an app's event loop ends silently at a
    # TaskExit: after one failed handler no event is processed any more.  With a class that is
    # never raised the error is logged, as in Ryu.
    hub: Any = importlib.import_module(f"{_ROOT}.lib.hub")
    hub.TaskExit = _Never
    importlib.import_module(f"{_ROOT}.cfg").CONF([], project="overlaylab")
    manager = _app_manager.AppManager.get_instance()
    manager.load_apps([module])
    manager.instantiate_apps(**manager.create_contexts())
