"""The one module that names the controller framework: os-ken, or Ryu 4.34.

Ryu when `ryu-manager` runs us, os-ken otherwise.  Their APIs differ in the package's and
the base class's name only, so the rest of the project imports from here.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

IS_RYU = "ryu.base.app_manager" in sys.modules
_ROOT = "ryu" if IS_RYU else "os_ken"

if IS_RYU:
    # ryu-manager leaves `threading` real while its own sockets are green: a lock held by one
    # would stop the other.  Our threads become green ones, too.
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
    """Where switches find us; to be called before the framework's own handler starts."""
    conf = importlib.import_module(f"{_ROOT}.cfg").CONF
    conf.set_override("ofp_listen_host", ip)
    conf.set_override("ofp_tcp_listen_port", port)


class _Never(BaseException):
    """What nobody raises."""


def start_app(module: str) -> None:
    """Load and start the app in `module` in threads; returns at once.  os-ken only.

    `AppManager.run_apps` is not used: it ends in `Thread.kill`, which os-ken 4.2 lacks.
    """
    # With native threads it is Exception, at which an app's loop ends without a word: one handler
    # that fails, ours or os-ken's, and no switch is heard any more.  Now it is logged, as in Ryu.
    hub: Any = importlib.import_module(f"{_ROOT}.lib.hub")
    hub.TaskExit = _Never
    importlib.import_module(f"{_ROOT}.cfg").CONF([], project="overlaylab")
    manager = _app_manager.AppManager.get_instance()
    manager.load_apps([module])
    manager.instantiate_apps(**manager.create_contexts())
