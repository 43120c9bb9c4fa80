"""Slow, heavy and wrong clients on the API's socket: every other client is answered at once."""

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import falcon.testing
import pytest

from controller.api import connections
from controller.api.attributes import parse_body
from controller.api.body import BODY_MAX
from controller.api.errors import NeutronError
from controller.api.server import serve
from controller.api.wsgi import make_api
from tests.controller.api.api_backend import FakeBackend
from tests.controller.api.api_client import UnixConnection

SOON_S = 5.0  # on a busy machine; a client that is held up waits for 10 s or 30 s
HOST = b"Host: localhost\r\n"
WHOLE = b"GET /v2.0/networks HTTP/1.1\r\n" + HOST + b"\r\n"
START = b"POST /v2.0/networks HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def path(backend):
    """The socket of a server that runs."""
    with TemporaryDirectory(prefix="api-") as directory:
        path = Path(directory, "api.sock")
        server = serve(make_api(backend), path)
        thread = threading.Thread(target=server.run)
        thread.start()
        yield path
        server.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def opened(path):
    """Opens connections; all are closed at the end."""
    with contextlib.ExitStack() as all_:

        def opened(sent=b""):
            one = all_.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(5)
            one.connect(str(path))
            one.sendall(sent)
            return one

        yield opened


def networks(path):
    """What another client is answered; an error if that takes longer than SOON_S."""
    connection = UnixConnection(path, timeout=SOON_S)
    try:
        connection.request("GET", "/v2.0/networks")
        return [each["name"] for each in json.load(connection.getresponse())["networks"]]
    finally:
        connection.close()


def received(one):
    """All that the server sends until it ends the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := one.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def statuses(text):
    return [int(each) for each in re.findall(r"HTTP/1\.[01] (\d+) ", text)]


def answered(one):
    """The status of the next response."""
    response = http.client.HTTPResponse(one)
    response.begin()
    response.read()
    return response.status


def error_in(text):
    """Status, type and message of a response that is an error in Neutron's form."""
    head, _, body = text.partition("\r\n\r\n")
    assert "Content-Type: application/json" in head
    error = json.loads(body)["NeutronError"]
    return statuses(head)[0], error["type"], error["message"]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        WHOLE[:30],
        WHOLE,
        START + b"Content-Length: 500\r\n\r\n{",
        START + b"Transfer-Encoding: chunked\r\n\r\n4\r\n{",
        START + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n",
        WHOLE * 10,
    ],
    ids=[
        "idle",
        "half a head",
        "never reads",
        "half a body",
        "half a chunk",
        "expects",
        "pipeline",
    ],
)
def test_300_such_clients_delay_no_other_client(path, opened, sent):
    for _ in range(300):
        opened(sent)
    assert [networks(path) for _ in range(3)] == [["red"]] * 3


def test_clients_that_send_one_byte_at_a_time_delay_no_other_client(path, opened):
    slow = [opened() for _ in range(100)]
    for byte in WHOLE[:20]:
        for one in slow:
            one.send(bytes([byte]))
    assert networks(path) == ["red"]
    for one in slow:
        one.sendall(WHOLE[20:])
    assert {answered(one) for one in slow} == {200}


def test_large_unread_answers_delay_no_other_client(path, opened, backend):
    long = b"GET /v2.0/networks/" + b"x" * 12000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    for _ in range(20):
        one = opened()
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100):
                one.sendall(long)
    assert networks(path) == ["red"]


def test_the_connection_that_waited_longest_ends_when_there_are_too_many(path, opened, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 3)
    first, second = opened(), opened(WHOLE)
    answered(second)
    third, fourth = opened(), opened(WHOLE)

    assert answered(fourth) == 200
    assert received(first) == ""
    for one in (second, third):
        one.sendall(WHOLE)
        assert answered(one) == 200


def test_503_while_all_connections_have_a_request_in_progress(path, opened, backend, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 2)
    go, begun, change = threading.Event(), threading.Semaphore(0), backend.change

    def slow(edit, **options):
        begun.release()
        assert go.wait(10)
        return change(edit, **options)

    monkeypatch.setattr(backend, "change", slow)
    body = b'{"network": {}}'
    posts = [opened(START + b"Content-Length: %d\r\n\r\n" % len(body) + body) for _ in range(2)]
    for _ in posts:
        assert begun.acquire(timeout=5)
    try:
        status, type_, _ = error_in(received(opened(WHOLE)))
    finally:
        go.set()

    assert (status, type_) == (503, "HTTPServiceUnavailable")
    assert [answered(one) for one in posts] == [201, 201]


@pytest.mark.parametrize("sent", [WHOLE[:30], START + b"Content-Length: 9\r\n\r\n{"])
def test_408_for_a_request_that_is_not_complete_in_time(path, opened, monkeypatch, sent):
    monkeypatch.setattr(connections, "REQUEST_S", 0.2)
    assert error_in(received(opened(sent))) == (
        408,
        "HTTPRequestTimeout",
        "The request was not complete after 0.2 s.",
    )


def test_bytes_that_trickle_in_do_not_extend_the_time(path, opened, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_S", 0.5)
    one, began = opened(), time.monotonic()
    with contextlib.suppress(OSError):  # the server has ended it
        while time.monotonic() - began < 5:
            one.sendall(b"G")
            time.sleep(0.05)
    assert time.monotonic() - began < 4
    assert networks(path) == ["red"]


@pytest.mark.parametrize("sent", [b"", WHOLE])
def test_an_idle_connection_ends(path, opened, monkeypatch, sent):
    monkeypatch.setattr(connections, "IDLE_S", 0.2)
    assert statuses(received(opened(sent))) == ([200] if sent else [])


def test_a_client_that_never_reads_is_ended(path, opened, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_S", 0.2)
    long = b"GET /v2.0/networks/" + b"x" * 12000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    one = opened()
    one.settimeout(10)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # not TimeoutError
        one.sendall(long * 1000)


def bodied(body, head=b""):
    return START + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    "sent",
    [
        bodied(b" " * (BODY_MAX + 1)),
        bodied(b" " * 900_000),
        START + b"Transfer-Encoding: chunked\r\n\r\n20000\r\n" + b" " * 0x20000 + b"\r\n0\r\n\r\n",
        START + b"Content-Length: 99999999999\r\n\r\n",
    ],
)
def test_413_for_a_large_body(path, opened, sent):
    assert error_in(received(opened(sent))) == (
        413,
        "HTTPContentTooLarge",
        "A body may have 65536 bytes.",
    )


def test_431_for_a_large_head(path, opened):
    text = received(opened(WHOLE[:-2] + b"X: " + b"x" * 20000 + b"\r\n\r\n"))
    assert error_in(text)[0] == 431


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        START + b"Content-Length: -1\r\n\r\n",
        START + b"Content-Length: 1e3\r\n\r\n",
        START + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  ",
        START + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        START + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        START + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        START + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
    ],
)
def test_400_for_invalid_requests(path, opened, sent, caplog):
    status, type_, _ = error_in(received(opened(sent)))
    assert (status, type_) == (400, "HTTPBadRequest")
    assert networks(path) == ["red"]
    assert not caplog.records


def test_what_follows_a_body_that_is_longer_than_its_length_is_refused_too(path, opened, backend):
    sent = START + b'Content-Length: 5\r\n\r\n{"network": {"name": "x"}}\r\n\r\n'
    assert statuses(received(opened(sent))) == [400, 400]
    assert len(backend.overlay.networks) == 1


def test_chunks_and_several_requests_at_once_are_read_in_order(path, opened):
    body = b'{"network": {"name": "late"}}'
    post = START + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    last = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    text = received(opened(WHOLE + b"\r\n" + post + WHOLE + last))

    assert statuses(text) == [200, 201, 200, 200]
    assert [text.count(name) for name in ('"name": "red"', '"name": "late"')] == [3, 3]


def test_a_client_that_expects_100_continue_gets_it(path, opened):
    one, body = opened(START + b"Expect: 100-continue\r\nContent-Length: 15\r\n\r\n"), b""
    assert one.recv(65536).startswith(b"HTTP/1.1 100 Continue")
    body = b'{"network": {}}'
    one.sendall(body)
    assert answered(one) == 201


def test_a_client_that_leaves_at_once_is_not_logged(path, opened, caplog):
    for sent in (WHOLE, WHOLE[:9], bodied(b'{"network": {}}')):
        opened(sent).close()
    assert networks(path)[0] == "red"
    assert not caplog.records


def test_nothing_is_logged_under_load(path, opened, caplog):
    for one in [opened(WHOLE) for _ in range(50)]:
        assert answered(one) == 200
    assert not caplog.records


def mixed(number):
    """That many different values of types that Python cannot sort."""
    return [(n, str(n), [n], {"n": n}, None)[n % 4] for n in range(number)]


def test_a_long_list_of_mixed_types_is_checked_in_linear_time():
    def seconds(values):
        given = {"tunnel_types": values, "tunneling_ip": "192.0.2.1", "ovsdb_connection": "tcp:x"}
        began = time.process_time()
        with pytest.raises(NeutronError) as error:
            parse_body("agent", "create", {"agent": {"host": "x", "configurations": given}})
        assert "non-unique" not in str(error.value)
        assert str(error.value).endswith(f"; {len(values) - 20} more.")
        return time.process_time() - began

    seconds(mixed(30))
    assert seconds(mixed(20_000)) < 5  # 60 s and more when all pairs were compared


@pytest.mark.parametrize("values", [["vxlan", "gre", "vxlan"], [*mixed(100), {"n": 3}]])
def test_a_value_twice_is_found(values):
    given = {"tunnel_types": values}
    with pytest.raises(NeutronError, match=r"non-unique|80 more|82 more"):
        parse_body("agent", "update", {"agent": {"configurations": given}})


def test_many_filters_and_fields_cost_no_more_than_few(backend):
    api = falcon.testing.TestClient(make_api(backend))
    query = "&".join(f"id={n}&fields=f{n}" for n in range(5000)) + "&id=port-1&fields=name"
    began = time.process_time()
    assert api.simulate_get("/v2.0/ports", query_string=query).json == {"ports": [{"name": "a"}]}
    assert time.process_time() - began < 1
