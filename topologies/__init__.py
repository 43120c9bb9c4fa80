"""Labs: scenario files, Mininet topologies, and running labs."""

import importlib
import sys
import warnings
from contextlib import suppress

# Mininet imports `distutils`.  Where setuptools replaces that module, it loads itself, which takes half
# of the time in which `overlaylab status` answers.  Python has its own `distutils` before 3.12.
if sys.version_info < (3, 12):
    with suppress(ImportError, AttributeError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("_distutils_hack").remove_shim()
        importlib.import_module("distutils.version")
