"""What this program imports from elsewhere: import name, and the distribution that brings it."""

import importlib.util

PYTHON = {
    "cattrs": "cattrs",
    "click": "click",
    "falcon": "falcon",
    "jinja2": "jinja2",
    "jsonschema": "jsonschema",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "os_ken": "os-ken",
    "oslo_config": "oslo.config",
    "polars": "polars",
    "rich": "rich",
    "yaml": "PyYAML",
    "scipy": "scipy",
    "waitress": "waitress",
}


def is_importable(name: str) -> bool:
    """True if a module is found; it is not imported."""
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # of the package that a dotted name is in
        return False
