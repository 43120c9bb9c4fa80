"""How the API reads a request, answers it, and says what went wrong, in Neutron's form."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import falcon
from falcon import Request, Response

from controller.api import views
from controller.api.errors import NeutronError, error_body, invalid
from controller.model.errors import ModelError, OverlayError

LOG = logging.getLogger(__name__)
BODY_MAX = 65536  # bytes; a port with a hundred addresses needs 10,000
View = dict[str, Any]
SAID = {
    404: "The resource could not be found.",
    405: "The method is not allowed for this resource.",
}
# The attributes that a list can be filtered by, also while it is empty.
FILTERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "network": views.NETWORK_ATTRIBUTES,
        "subnet": views.SUBNET_ATTRIBUTES,
        "port": views.PORT_ATTRIBUTES,
        "agent": views.AGENT_ATTRIBUTES,
    }
)


def read_body(request: Request) -> object:
    """The request's JSON.

    Raises:
        falcon.HTTPError: it is another type, too large, or not JSON.
    """
    media = (request.content_type or falcon.MEDIA_JSON).partition(";")[0].strip().lower()
    if media != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(description=f"{media}: send {falcon.MEDIA_JSON}.")
    raw = request.bounded_stream.read(BODY_MAX + 1)
    if len(raw) > BODY_MAX:
        raise falcon.HTTPContentTooLarge(description=f"A body may have {BODY_MAX} bytes.")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        said = f"The body is not JSON: {error}."
        raise falcon.HTTPBadRequest(description=said) from None


def answer(response: Response, body: View, status: int = 200) -> None:
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.text = json.dumps(body)


def answer_list(request: Request, response: Response, kind: str, shown: list[View]) -> None:
    query = parse_qsl(request.query_string, keep_blank_values=True)
    answer(response, {f"{kind}s": views.selected(shown, query, FILTERS[kind])})


def answer_one(request: Request, response: Response, kind: str, shown: View) -> None:
    """One resource, cut to the query's `fields`; other words of a query mean nothing here."""
    query = parse_qsl(request.query_string, keep_blank_values=True)
    fields = [pair for pair in query if pair[0] == "fields"]
    answer(response, {kind: views.selected([shown], fields, ())[0]})


def say_http_error(_: Request, response: Response, error: falcon.HTTPError) -> None:
    """Falcon's own errors: no such path, no such method, a bad body."""
    said = error.description or SAID.get(error.status_code) or HTTPStatus(error.status_code).phrase
    # Falcon tells an unknown path (HTTPRouteNotFound) from an unknown thing; Neutron does not.
    type_ = type(error).__name__.replace("RouteNotFound", "NotFound")
    answer(response, error_body(type_, said), error.status_code)


def say_refusal(_: Request, response: Response, error: ModelError, __: object) -> None:
    if isinstance(error, NeutronError):
        answer(response, error_body(error.type, str(error)), error.status)
        return
    said = invalid("; ".join(str(error).splitlines()))
    answer(response, error_body(said.type, str(said)), said.status)


def say_trouble(_: Request, response: Response, error: OverlayError, __: object) -> None:
    """The request was right, but the lab could not do it: its errors are written for people."""
    LOG.error("request failed", exc_info=error)
    answer(response, error_body(type(error).__name__, str(error)), 503)


def say_fault(request: Request, response: Response, error: Exception, __: object) -> None:
    LOG.error("%s %s failed", request.method, request.path, exc_info=error)
    said = "Request Failed: internal server error while processing your request."
    answer(response, error_body("HTTPInternalServerError", said), 500)
