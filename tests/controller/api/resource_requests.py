"""Requests as the tests of the resources make them, on the small overlay."""

import pytest

from controller.api import resources
from controller.api.errors import NeutronError
from tests.controller.api.api_backend import small

OVERLAY = small()


def network(overlay=OVERLAY, **requested):
    requested = {word.replace("__", ":"): value for word, value in requested.items()}
    return resources.create_network(
        overlay, {"network": {"name": "new", **requested}}, new_id="net-n"
    )


def subnet(overlay=OVERLAY, **requested):
    body = {"subnet": {"network_id": "net-1", "cidr": "10.0.0.0/29", **requested}}
    return resources.create_subnet(overlay, body, new_id="sub-n")


def port(overlay=OVERLAY, **requested):
    body = {"port": {"network_id": "net-1", **requested}}
    return resources.create_port(overlay, body, new_id="port-n")


def refused(function, *args, **kwargs):
    """Status, type and text of the refusal; the check that there is one."""
    with pytest.raises(NeutronError) as error:
        function(*args, **kwargs)
    return error.value.status, error.value.type, str(error.value)


def ips(overlay, id_="port-n"):
    return [str(ip) for ip in overlay.port_of[id_].fixed_ips]


def pool(start, end):
    return {"start": f"10.0.0.{start}", "end": f"10.0.0.{end}"}
