"""Neutron's HTTP interface, version 2.0: networks, subnets, ports and agents of one lab.

Reads use the backend's current overlay, writes call `backend.change`.  `controller.api.resources`
has the rules, `controller.api.attributes` what is shown and accepted.
"""

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import falcon
from falcon import Request, Response

from controller.api import resources
from controller.api.attributes import View, agent_id, filters, parse_body, selected, view
from controller.api.body import BODY_MAX, parse_json
from controller.api.errors import NeutronError, as_neutron, error_body, not_found
from controller.model.errors import ModelError, OverlayError
from controller.model.overlay import Overlay
from controller.switches.backend import Backend

LOG = logging.getLogger(__name__)
VERSION = "v2.0"
ERROR_TEXTS = {
    404: "The resource could not be found.",
    405: "The method is not allowed for this resource.",
}
EXTENSIONS = {
    "agent": "The hosts' agents",
    "binding": "The host of a port (binding:host_id)",
    "filter-validation": "Unknown filters are refused",
    "net-mtu": "A network's MTU",
    "port-security": "A port's anti-spoofing",
    "provider": "A network's type and segmentation_id",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of resource is changed."""

    name: str
    create: Callable[..., Overlay]
    update: Callable[[Overlay, str, object], Overlay]
    delete: Callable[[Overlay, str], Overlay]

    def values(self, overlay: Overlay) -> tuple[Any, ...]:
        """All resources of this kind."""
        found: tuple[Any, ...] = getattr(overlay, f"{self.name}s")
        return found

    def shown(self, overlay: Overlay, id_: str) -> View:
        """The view of the resource with this id."""
        return view(self.name, overlay, resources.found(self.name, self.values(overlay), id_))


KINDS = (
    Kind("network", resources.create_network, resources.update_network, resources.delete_network),
    Kind("subnet", resources.create_subnet, resources.update_subnet, resources.delete_subnet),
    Kind("port", resources.create_port, resources.update_port, resources.delete_port),
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
    app.set_error_serializer(_answer_http_error)
    # Falcon calls the handler of the nearest base class.
    app.add_error_handler(Exception, _answer_internal_error)
    app.add_error_handler(OverlayError, _answer_lab_error)
    app.add_error_handler(ModelError, _answer_invalid)
    return app


# --- requests and responses


def read_body(request: Request) -> object:
    """The request's JSON.

    Raises:
        falcon.HTTPError: the body has another type, is too large, or is not JSON.
    """
    media = (request.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()
    if media != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(description=f"{media}: send {falcon.MEDIA_JSON}.")
    raw = request.bounded_stream.read(BODY_MAX + 1)
    if len(raw) > BODY_MAX:
        raise falcon.HTTPContentTooLarge(description=f"A body may have {BODY_MAX} bytes.")
    try:
        return parse_json(raw)
    except ValueError as error:
        raise falcon.HTTPBadRequest(description=f"The body is not JSON: {error}.") from None


def answer(response: Response, body: View, status: int = 200) -> None:
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.text = json.dumps(body)


def answer_list(request: Request, response: Response, kind: str, shown: list[View]) -> None:
    query = parse_qsl(request.query_string, keep_blank_values=True)
    answer(response, {f"{kind}s": selected(shown, query, filters(kind))})


def answer_one(request: Request, response: Response, kind: str, shown: View) -> None:
    """Answer with one resource, reduced to the query's `fields`; filters are ignored."""
    query = parse_qsl(request.query_string, keep_blank_values=True)
    fields = [pair for pair in query if pair[0] == "fields"]
    answer(response, {kind: selected([shown], fields, ())[0]})


def _answer_http_error(_: Request, response: Response, error: falcon.HTTPError) -> None:
    """Answer Falcon's own errors: unknown path, unknown method, bad body."""
    status = error.status_code
    message = error.description or ERROR_TEXTS.get(status) or HTTPStatus(status).phrase
    # Falcon has HTTPRouteNotFound for an unknown path; Neutron has HTTPNotFound for everything.
    type_ = type(error).__name__.replace("RouteNotFound", "NotFound")
    answer(response, error_body(type_, message), status)


def _answer_invalid(_: Request, response: Response, error: ModelError, __: object) -> None:
    refused = as_neutron(error)
    answer(response, error_body(refused.type, str(refused), refused.detail), refused.status)


def _answer_lab_error(_: Request, response: Response, error: OverlayError, __: object) -> None:
    """Answer 503: the request was valid, but the lab could not carry it out."""
    LOG.error("request failed", exc_info=error)
    answer(response, error_body(type(error).__name__, str(error)), 503)


def _answer_internal_error(
    request: Request, response: Response, error: Exception, __: object
) -> None:
    LOG.error("%s %s failed", request.method, request.path, exc_info=error)
    message = "Request Failed: internal server error while processing your request."
    answer(response, error_body("HTTPInternalServerError", message), 500)


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


@dataclass(frozen=True, slots=True)
class Collection:
    """`/v2.0/networks`, `/v2.0/subnets` and `/v2.0/ports`."""

    backend: Backend
    kind: Kind

    def on_get(self, request: Request, response: Response) -> None:
        overlay, kind = self.backend.overlay, self.kind
        shown = [view(kind.name, overlay, value) for value in kind.values(overlay)]
        answer_list(request, response, kind.name, shown)

    def on_post(self, request: Request, response: Response) -> None:
        body, new_id = read_body(request), str(uuid.uuid4())
        overlay = self.backend.change(lambda before: self.kind.create(before, body, new_id=new_id))
        answer(response, {self.kind.name: self.kind.shown(overlay, new_id)}, 201)


@dataclass(frozen=True, slots=True)
class Item:
    """`/v2.0/networks/ID`, `/v2.0/subnets/ID` and `/v2.0/ports/ID`."""

    backend: Backend
    kind: Kind

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


@dataclass(frozen=True, slots=True)
class Agents:
    """`/v2.0/agents`; POST is an addition, since Neutron's agents report over RPC."""

    backend: Backend

    def on_get(self, request: Request, response: Response) -> None:
        answer_list(request, response, "agent", _agents(self.backend))

    def on_post(self, request: Request, response: Response) -> None:
        given = parse_body("agent", "create", read_body(request))
        name, configurations = given["host"], given["configurations"]
        is_known = name in self.backend.overlay.host_of
        host = resources.host_from(name, configurations)
        self.backend.change(
            lambda overlay: resources.with_new_host(overlay, host),
            ovsdb={name: configurations["ovsdb_connection"]},
            is_new=True,
        )
        shown = _agent(self.backend, agent_id(name))
        answer(response, {"agent": shown}, 200 if is_known else 201)


@dataclass(frozen=True, slots=True)
class Agent:
    """`/v2.0/agents/ID`."""

    backend: Backend

    def on_get(self, request: Request, response: Response, id_: str) -> None:
        answer_one(request, response, "agent", _agent(self.backend, id_))

    def on_put(self, request: Request, response: Response, id_: str) -> None:
        host = _agent(self.backend, id_)["host"]
        configurations = parse_body("agent", "update", read_body(request)).get("configurations", {})
        address = configurations.get("ovsdb_connection")
        self.backend.change(
            lambda before: resources.update_host(before, host, configurations),
            ovsdb={host: address} if address else {},
        )
        answer(response, {"agent": _agent(self.backend, id_)})

    def on_delete(self, _: Request, response: Response, id_: str) -> None:
        host = _agent(self.backend, id_)["host"]
        self.backend.change(lambda overlay: resources.without_host(overlay, host))
        response.status = 204


def _agents(backend: Backend) -> list[View]:
    """The agents, without those that have just been deleted."""
    states, overlay = backend.agents(), backend.overlay
    return [view("agent", overlay, state) for state in states if state.host in overlay.host_of]


def _agent(backend: Backend, id_: str) -> View:
    found = next((shown for shown in _agents(backend) if shown["id"] == id_), None)
    if found is None:
        raise not_found("agent", id_)
    return found
