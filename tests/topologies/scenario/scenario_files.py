"""Writes scenario files for a test, and returns their errors."""

from pathlib import Path
from textwrap import dedent

import pytest

from controller.model.errors import ModelError, ModelErrors
from topologies.scenario.load import load

TWO_HOSTS = """\
hosts:
  - {name: h1, local_ip: 192.0.2.1, tunnel_types: [vxlan]}
  - {name: h2, local_ip: 192.0.2.2, tunnel_types: [vxlan]}
"""


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def errors_of(text: str) -> list[str]:
    """Every error of a scenario `s.yaml` with this text, one line each."""
    with pytest.raises(ModelError) as caught:
        load(write("s.yaml", text))
    error = caught.value
    return [str(one) for one in (error.errors if isinstance(error, ModelErrors) else (error,))]


def with_two_hosts(text: str) -> str:
    """A scenario of two hosts, lines 1 to 3, and `text` from line 4 on."""
    return TWO_HOSTS + dedent(text)
