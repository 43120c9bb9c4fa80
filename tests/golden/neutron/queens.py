"""What the code of Neutron 12.1.1 (2018) expects of its libraries, on those of today.

Ryu is os-ken's former name; modules that the agent imports and does not use here are stubs.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from unittest import mock

STUBS = ("os_xenapi", "neutron.db", "neutron.objects", "neutron_lib.db")


class Stub(ModuleType):
    """A module in which everything exists and does nothing."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return mock.MagicMock(name=f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `ryu` in os-ken, and stubs."""

    def find_spec(self, name, _path=None, _target=None):
        if any(f"{name}.".startswith(f"{known}.") for known in ("ryu", *STUBS)):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        if spec.name.split(".")[0] == "ryu":
            return importlib.import_module(spec.name.replace("ryu", "os_ken", 1))
        return Stub(spec.name)

    def exec_module(self, module):
        pass


def prepare():
    """Make Queens's agent importable."""
    sys.meta_path.insert(0, Finder())
