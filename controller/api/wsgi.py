"""Neutron's HTTP interface, version 2.0: networks, subnets, ports and agents of one lab.

Reads use the backend's current overlay, writes call `backend.change`.  `controller.api.resources`
has the rules, `controller.api.views` the output.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import falcon
from falcon import Request, Response

from controller.api import errors as refuse
from controller.api import resources, views
from controller.api.errors import NeutronError
from controller.api.http import (
    answer,
    answer_http_error,
    answer_internal_error,
    answer_invalid,
    answer_lab_error,
    answer_list,
    answer_one,
    read_body,
)
from controller.api.schemas import attributes
from controller.api.server import serve
from controller.model.errors import ModelError, OverlayError
from controller.model.overlay import Overlay
from controller.switches.backend import AgentState, Backend

__all__ = ["make_api", "serve"]
VERSION = "v2.0"
EXTENSIONS = {
    "agent": "The hosts' agents",
    "binding": "The host of a port (binding:host_id)",
    "filter-validation": "Unknown filters are refused",
    "net-mtu": "A network's MTU",
    "port-security": "A port's anti-spoofing",
    "provider": "A network's type and segmentation_id",
}
View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of resource is shown and changed."""

    name: str
    values: Callable[[Overlay], tuple[Any, ...]]
    view: Callable[[Overlay, Any], View]
    create: Callable[..., Overlay]
    update: Callable[[Overlay, str, object], Overlay]
    delete: Callable[[Overlay, str], Overlay]

    def shown(self, overlay: Overlay, id_: str) -> View:
        """The view of the resource with this id."""
        return self.view(overlay, resources.found(self.name, self.values(overlay), id_))


KINDS = (
    Kind(
        "network",
        attrgetter("networks"),
        views.network_view,
        resources.create_network,
        resources.update_network,
        resources.delete_network,
    ),
    Kind(
        "subnet",
        attrgetter("subnets"),
        views.subnet_view,
        resources.create_subnet,
        resources.update_subnet,
        resources.delete_subnet,
    ),
    Kind(
        "port",
        attrgetter("ports"),
        views.port_view,
        resources.create_port,
        resources.update_port,
        resources.delete_port,
    ),
)


def make_api(backend: Backend) -> falcon.App[Request, Response]:
    """The WSGI application in front of `backend`."""
    app = falcon.App()
    app.req_options.strip_url_path_trailing_slash = True
    app.add_route("/", Versions())
    app.add_route(f"/{VERSION}", Resources())
    app.add_route(f"/{VERSION}/extensions", Extensions())
    app.add_route(f"/{VERSION}/extensions/{{alias}}", Extension())
    for kind in KINDS:
        app.add_route(f"/{VERSION}/{kind.name}s", Collection(backend, kind))
        app.add_route(f"/{VERSION}/{kind.name}s/{{id_}}", Item(backend, kind))
    app.add_route(f"/{VERSION}/agents", Agents(backend))
    app.add_route(f"/{VERSION}/agents/{{id_}}", Agent(backend))
    app.set_error_serializer(answer_http_error)
    # Falcon calls the handler of the nearest base class.
    app.add_error_handler(Exception, answer_internal_error)
    app.add_error_handler(OverlayError, answer_lab_error)
    app.add_error_handler(ModelError, answer_invalid)
    return app


# --- one class per path


class Versions:
    """`/`."""

    def on_get(self, request: Request, response: Response) -> None:
        link = {"rel": "self", "href": f"{request.prefix}/{VERSION}/"}
        version = {"id": VERSION, "status": "CURRENT", "links": [link]}
        answer(response, {"versions": [version]})


class Resources:
    """`/v2.0`."""

    def on_get(self, request: Request, response: Response) -> None:
        base = f"{request.prefix}/{VERSION}"
        shown = [
            {
                "name": name,
                "collection": f"{name}s",
                "links": [{"rel": "self", "href": f"{base}/{name}s"}],
            }
            for name in (*(kind.name for kind in KINDS), "agent")
        ]
        answer(response, {"resources": shown})


def _extension(alias: str) -> View:
    about = {"description": EXTENSIONS[alias], "updated": "", "links": []}
    return {"alias": alias, "name": alias, **about}


class Extensions:
    """`/v2.0/extensions`."""

    def on_get(self, _: Request, response: Response) -> None:
        answer(response, {"extensions": [_extension(alias) for alias in EXTENSIONS]})


class Extension:
    """`/v2.0/extensions/ALIAS`."""

    def on_get(self, _: Request, response: Response, alias: str) -> None:
        if alias not in EXTENSIONS:
            message = f"Extension with alias {alias} does not exist"
            raise NeutronError(404, "HTTPNotFound", message)
        answer(response, {"extension": _extension(alias)})


class Collection:
    """`/v2.0/networks`, `/v2.0/subnets` and `/v2.0/ports`."""

    def __init__(self, backend: Backend, kind: Kind) -> None:
        self.backend, self.kind = backend, kind

    def on_get(self, request: Request, response: Response) -> None:
        overlay, kind = self.backend.overlay, self.kind
        shown = [kind.view(overlay, value) for value in kind.values(overlay)]
        answer_list(request, response, kind.name, shown)

    def on_post(self, request: Request, response: Response) -> None:
        body, new_id = read_body(request), str(uuid.uuid4())
        overlay = self.backend.change(lambda before: self.kind.create(before, body, new_id=new_id))
        answer(response, {self.kind.name: self.kind.shown(overlay, new_id)}, 201)


class Item:
    """`/v2.0/networks/ID`, `/v2.0/subnets/ID` and `/v2.0/ports/ID`."""

    def __init__(self, backend: Backend, kind: Kind) -> None:
        self.backend, self.kind = backend, kind

    def on_get(self, request: Request, response: Response, id_: str) -> None:
        shown = self.kind.shown(self.backend.overlay, id_)
        answer_one(request, response, self.kind.name, shown)

    def on_put(self, request: Request, response: Response, id_: str) -> None:
        body = read_body(request)
        overlay = self.backend.change(lambda before: self.kind.update(before, id_, body))
        answer(response, {self.kind.name: self.kind.shown(overlay, id_)})

    def on_delete(self, _: Request, response: Response, id_: str) -> None:
        self.backend.change(lambda before: self.kind.delete(before, id_))
        response.status = 204


class Agents:
    """`/v2.0/agents`; POST is an addition, since Neutron's agents report over RPC."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def on_get(self, request: Request, response: Response) -> None:
        answer_list(request, response, "agent", [view for _, view in _agents(self.backend)])

    def on_post(self, request: Request, response: Response) -> None:
        given = attributes("agent", "create", read_body(request))
        name, configurations = given["host"], given["configurations"]
        is_known = name in self.backend.overlay.host_of
        host = resources.host_from(name, configurations)
        self.backend.change(
            lambda overlay: resources.with_host(overlay, host),
            ovsdb={name: configurations["ovsdb_connection"]},
        )
        _, shown = _agent(self.backend, views.agent_id(name))
        answer(response, {"agent": shown}, 200 if is_known else 201)


class Agent:
    """`/v2.0/agents/ID`."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def on_get(self, request: Request, response: Response, id_: str) -> None:
        answer_one(request, response, "agent", _agent(self.backend, id_)[1])

    def on_put(self, request: Request, response: Response, id_: str) -> None:
        state, _ = _agent(self.backend, id_)
        configurations = attributes("agent", "update", read_body(request)).get("configurations", {})
        known = self.backend.overlay.host(state.host)
        host = resources.host_from(known.name, configurations, known)
        ovsdb = configurations.get("ovsdb_connection", state.ovsdb)
        self.backend.change(
            lambda overlay: resources.with_host(overlay, host), ovsdb={known.name: ovsdb}
        )
        answer(response, {"agent": _agent(self.backend, id_)[1]})

    def on_delete(self, _: Request, response: Response, id_: str) -> None:
        state, _shown = _agent(self.backend, id_)
        self.backend.change(lambda overlay: resources.without_host(overlay, state.host))
        response.status = 204


def _agents(backend: Backend) -> list[tuple[AgentState, View]]:
    """Each agent with its view, without agents that have just been deleted."""
    states, overlay = backend.agents(), backend.overlay
    known = overlay.host_of
    return [(state, views.agent_view(overlay, state)) for state in states if state.host in known]


def _agent(backend: Backend, id_: str) -> tuple[AgentState, View]:
    found = next((pair for pair in _agents(backend) if pair[1]["id"] == id_), None)
    if found is None:
        raise refuse.not_found("agent", id_)
    return found
