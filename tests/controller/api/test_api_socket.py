"""The API on its UNIX socket: only its owner's, one server at a time, nothing left behind."""

import http.client
import json
import os
import socket
import stat
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from controller.api.server import serve
from controller.api.wsgi import make_api
from controller.model.errors import LabError
from controller.system import commands
from tests.controller.api.api_backend import FakeBackend
from tests.controller.api.api_client import UnixConnection

UNDER_EVENTLET = Path(__file__).with_name("api_under_eventlet.py")


@pytest.fixture
def path():
    """Where to listen: not tmp_path, since UNIX socket paths end at 107 bytes."""
    with TemporaryDirectory(prefix="api-") as directory:
        yield Path(directory, "api.sock")


@contextmanager
def served(path, backend=None):
    server = serve(make_api(backend or FakeBackend()), path)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)
        assert not thread.is_alive()


def ask(path, method, target, body=None):
    connection = UnixConnection(path)
    headers = {"Content-Type": "application/json"}
    try:
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


def test_requests_over_the_socket(path):
    with served(path):
        status, made = ask(path, "POST", "/v2.0/networks", {"network": {"name": "x"}})
        network = f"/v2.0/networks/{made['network']['id']}"

        assert (status, ask(path, "GET", network)) == (201, (200, made))
        assert ask(path, "DELETE", network) == (204, None)
        assert ask(path, "GET", "/no")[1]["NeutronError"]["type"] == "HTTPNotFound"
        assert ask(path, "GET", "/")[1]["versions"][0]["links"][0]["href"] == (
            "http://localhost/v2.0/"
        )


def test_a_connection_serves_several_requests(path):
    with served(path):
        connection = UnixConnection(path)
        for _ in range(3):
            connection.request("GET", "/v2.0/ports")
            assert json.loads(connection.getresponse().read())["ports"][0]["name"] == "a"
        connection.close()


def test_only_the_owner_can_open_the_socket_from_the_start(path, monkeypatch):
    seen = []
    bind = socket.socket.bind

    class Watched(socket.socket):
        def bind(self, address):
            bind(self, address)
            seen.append(stat.S_IMODE(Path(address).stat().st_mode))

    monkeypatch.setattr("controller.api.server.socket.socket", Watched)
    before = os.umask(0)
    try:
        with served(path):
            seen.append(stat.S_IMODE(path.stat().st_mode))
        after = os.umask(0)
    finally:
        os.umask(before)

    assert seen == [0o600, 0o600]
    assert after == 0  # the process's own umask is as it was


def test_closing_removes_the_socket_and_may_be_repeated(path):
    with served(path) as server:
        assert path.is_socket()
        server.close()
        server.close()
    assert not path.exists()

    never_run = serve(make_api(FakeBackend()), path)
    never_run.close()
    assert not path.exists()


def get(connection):
    connection.request("GET", "/")
    connection.getresponse().read()


def test_closing_does_not_wait_for_an_idle_connection(path):
    with served(path) as server:
        idle = UnixConnection(path)
        get(idle)
        server.close()
        with pytest.raises((http.client.HTTPException, OSError)):
            get(idle)
        idle.close()


def test_closing_wakes_a_server_that_waits(path, monkeypatch):
    monkeypatch.setattr("controller.api.server.TURN_S", 60)
    with served(path):  # which fails if the thread has not ended after 10 s
        assert ask(path, "GET", "/")[0] == 200


def test_a_stale_socket_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with served(path):
        assert ask(path, "GET", "/")[0] == 200


def test_a_socket_with_a_listener_is_not_replaced(path):
    with served(path):
        with pytest.raises(LabError) as error:
            serve(make_api(FakeBackend()), path)
        assert ask(path, "GET", "/")[0] == 200

    assert str(error.value) == (
        f"API socket {path}: another process listens there; allowed: one controller for each lab. "
        "`overlaylab status` lists labs."
    )


def test_a_file_at_the_path_is_not_replaced(path):
    path.write_text("mine")

    with pytest.raises(LabError, match="not a socket"):
        serve(make_api(FakeBackend()), path)

    assert path.read_text() == "mine"


def test_the_socket_of_a_later_server_is_not_removed(path):
    with served(path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(str(path))
    assert path.is_socket()


@pytest.mark.parametrize("path", [Path("/", "x" * 200), Path("/nonexistent/api.sock")])
def test_an_impossible_path_is_refused(path):
    with pytest.raises(LabError, match="allowed: a path of at most 107 bytes"):
        serve(make_api(FakeBackend()), path)


def test_a_slow_change_does_not_delay_other_hosts(path):
    class SlowBackend(FakeBackend):
        is_answered = threading.Event()

        def change(self, edit):
            assert self.is_answered.wait(5)
            return super().change(edit)

    backend, answers = SlowBackend(), []
    with served(path, backend):
        body = {"network": {"name": "late"}}
        slow = threading.Thread(
            target=lambda: answers.append(ask(path, "POST", "/v2.0/networks", body)[0])
        )
        slow.start()
        assert ask(path, "GET", "/v2.0/networks")[0] == 200
        backend.is_answered.set()
        slow.join(10)
    assert answers == [201]


def saw_under_eventlet(python, path):
    return json.loads(commands.run(str(python), str(UNDER_EVENTLET), str(path), timeout_s=60))


def test_it_serves_under_eventlet(need_ryu, path):
    assert saw_under_eventlet(need_ryu.with_name("python"), path) == {
        "patched": True,
        "get": [200, ["red"]],
        "post": [201, "late"],
        "left": False,
        "running": False,
    }
