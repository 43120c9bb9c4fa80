"""Reads API requests and writes responses and errors in Neutron's format."""

import json
import logging
from http import HTTPStatus
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
ERROR_TEXTS = {
    404: "The resource could not be found.",
    405: "The method is not allowed for this resource.",
}


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
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise falcon.HTTPBadRequest(description=f"The body is not JSON: {error}.") from None


def answer(response: Response, body: View, status: int = 200) -> None:
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.text = json.dumps(body)


def answer_list(request: Request, response: Response, kind: str, shown: list[View]) -> None:
    query = parse_qsl(request.query_string, keep_blank_values=True)
    answer(response, {f"{kind}s": views.selected(shown, query, views.FILTERS[kind])})


def answer_one(request: Request, response: Response, kind: str, shown: View) -> None:
    """Answer with one resource, reduced to the query's `fields`; filters are ignored."""
    query = parse_qsl(request.query_string, keep_blank_values=True)
    fields = [pair for pair in query if pair[0] == "fields"]
    answer(response, {kind: views.selected([shown], fields, ())[0]})


def answer_http_error(_: Request, response: Response, error: falcon.HTTPError) -> None:
    """Answer Falcon's own errors: unknown path, unknown method, bad body."""
    status = error.status_code
    message = error.description or ERROR_TEXTS.get(status) or HTTPStatus(status).phrase
    # Falcon has HTTPRouteNotFound for an unknown path; Neutron has HTTPNotFound for everything.
    type_ = type(error).__name__.replace("RouteNotFound", "NotFound")
    answer(response, error_body(type_, message), status)


def answer_invalid(_: Request, response: Response, error: ModelError, __: object) -> None:
    if isinstance(error, NeutronError):
        answer(response, error_body(error.type, str(error)), error.status)
        return
    refused = invalid("; ".join(str(error).splitlines()))
    answer(response, error_body(refused.type, str(refused)), refused.status)


def answer_lab_error(_: Request, response: Response, error: OverlayError, __: object) -> None:
    """Answer 503: the request was valid, but the lab could not carry it out."""
    LOG.error("request failed", exc_info=error)
    answer(response, error_body(type(error).__name__, str(error)), 503)


def answer_internal_error(
    request: Request, response: Response, error: Exception, __: object
) -> None:
    LOG.error("%s %s failed", request.method, request.path, exc_info=error)
    message = "Request Failed: internal server error while processing your request."
    answer(response, error_body("HTTPInternalServerError", message), 500)
