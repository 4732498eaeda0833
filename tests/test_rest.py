"""MLflow over REST: addresses, credentials, pages, downloads, and servers that are none or do not answer."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provstore.errors import Misconfigured, NotFound, SourceUnavailable
from provstore.pull.mlflow.listing import Listing
from provstore.pull.mlflow.rest import NoRoute, Rest, address
from provstore.settings import MlflowAccess, mlflow_access

#: Method, path and query, headers, body → status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
Answers = Callable[[str, str, dict[str, str], bytes], Answer]


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """A server of any behaviour; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items()}
            status, headers, answer = answers(self.command, self.path, sent, body)
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(**value: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


@pytest.mark.parametrize(
    ("uri", "url", "username", "password"),
    [
        ("HTTP://MLflow.Example:80/", "http://mlflow.example", "", ""),
        ("https://ana:p%40ss@mlflow.example:443/team/", "https://mlflow.example/team", "ana", "p@ss"),
        (" http://[::1]:5000 ", "http://[::1]:5000", "", ""),
    ],
)
def test_an_address_has_one_spelling_and_no_user(uri: str, url: str, username: str, password: str) -> None:
    found = address(uri)
    assert (found.url, found.username, found.password) == (url, username, password)


@pytest.mark.parametrize("uri", ["", "mlruns", "databricks://x", "http://", "http://h:port", "file:///x", "//ana:pw@h"])
def test_what_is_no_address_of_a_server_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(Misconfigured, match="tracking URI") as caught:
        address(uri)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "access", "expected"),
    [
        ("", MlflowAccess(), None),
        ("", MlflowAccess(username="a", password="b", token="t"), f"Basic {base64.b64encode(b'a:b').decode()}"),
        ("c:d@", MlflowAccess(username="a", password="b"), f"Basic {base64.b64encode(b'c:d').decode()}"),
        ("", MlflowAccess(token="t"), "Bearer t"),
    ],
)
def test_credentials_are_sent_as_mlflows_own_client_sends_them(
    user: str, access: MlflowAccess, expected: str | None
) -> None:
    sent: list[str | None] = []

    def answers(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        sent.append(headers.get("authorization"))
        return said()

    with answering(answers) as url:
        Rest(address(url.replace("://", f"://{user}")), access).get("/x")
    assert sent == [expected]


def test_credentials_do_not_follow_to_another_server() -> None:
    asked: list[str] = []

    def elsewhere(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        asked.append(path)
        return said()

    with answering(elsewhere) as other:

        def away(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
            return 302, {"Location": f"{other}/x"}, b""

        with answering(away) as url, pytest.raises(SourceUnavailable, match="another server"):
            Rest(address(url), MlflowAccess(token="t")).get("/x")
    assert not asked


def test_what_was_set_is_not_shown() -> None:
    access = mlflow_access({"MLFLOW_TRACKING_PASSWORD": "pw", "MLFLOW_TRACKING_TOKEN": "tk"})
    assert (access.password, access.token) == ("pw", "tk")
    assert "pw" not in repr(access)
    assert "tk" not in repr(access)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", Misconfigured),
        (403, b"no", Misconfigured),
        (404, b"<html>", NoRoute),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}', NotFound),
        (400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad"}', Misconfigured),
        (400, b"[]", Misconfigured),
        (429, b"", SourceUnavailable),
        (500, b'{"error_code": "INTERNAL_ERROR", "message": "oh"}', SourceUnavailable),
        (503, b"{}", SourceUnavailable),
        (200, b"<html>", Misconfigured),
        (200, b"[]", Misconfigured),
    ],
)
def test_refusals_say_what_kind_they_are(status: int, body: bytes, error: type[Exception]) -> None:
    with answering(lambda *_: (status, {}, body)) as url, pytest.raises(error):
        Rest(address(url), MlflowAccess()).get("/x")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_cannot_be_answered_now_is_asked_again_when_the_server_says_so(status: int) -> None:
    asked: list[str] = []

    def answers(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        asked.append(path)
        return (status, {"Retry-After": "0"}, b"") if len(asked) < 3 else said(run={})

    with answering(answers) as url:
        assert Rest(address(url), MlflowAccess()).get("/x") == {"run": {}}
    assert len(asked) == 3


def test_instants_are_those_of_mlflows_clock() -> None:
    dates = ["Thu, 26 Nov 2099 16:41:18 GMT", "no date"]

    def answers(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return 200, {"Date": dates.pop(0)}, b"{}"

    with answering(answers) as url:
        rest = Rest(address(url), MlflowAccess())
        before = time.time()
        assert before <= rest.now() <= time.time()
        for _ in "12":
            rest.get("/x")
            assert rest.now() == pytest.approx(datetime(2099, 11, 26, 16, 41, 18, tzinfo=UTC).timestamp(), abs=30)


def test_answers_of_another_form_are_no_answers() -> None:
    with answering(lambda *_: said(runs={"no": "list"}, status="ok")) as url:
        listing = Listing(Rest(address(url), MlflowAccess()))
        with pytest.raises(SourceUnavailable, match="'runs'"):
            list(listing.runs(["0"]))
        with pytest.raises(SourceUnavailable, match="'run'"):
            listing.run("r")


def test_nobody_there_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(SourceUnavailable, match="no answer from MLflow"):
            Rest(address(url), MlflowAccess()).get("/x")


def test_a_download_that_is_cut_off_is_no_download() -> None:
    with answering(lambda *_: (200, {"Content-Length": "10"}, b"half")) as url:
        chunks = Rest(address(url), MlflowAccess()).chunks("/x", {})
        with pytest.raises(SourceUnavailable, match=r"cut off|no answer"):
            list(chunks)


def test_pages_are_asked_for_to_the_last() -> None:
    def answers(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        token = json.loads(body).get("page_token", "0")
        more = {"next_page_token": str(int(token) + 1)} if token != "2" else {}
        return said(experiments=[{"experiment_id": token}], **more)

    with answering(answers) as url:
        listing = Listing(Rest(address(url), MlflowAccess()))
        assert [each["experiment_id"] for each in listing.experiments()] == ["0", "1", "2"]


def test_a_page_that_leads_to_itself_is_an_error() -> None:
    with answering(lambda *_: said(experiments=[], next_page_token="x")) as url:
        listing = Listing(Rest(address(url), MlflowAccess()))
        with pytest.raises(Misconfigured, match="again and again"):
            list(listing.experiments())


def test_a_server_before_mlflow_3_has_no_logged_models_and_no_traces() -> None:
    with answering(lambda *_: (404, {}, b"")) as url:
        listing = Listing(Rest(address(url), MlflowAccess()))
        assert not list(listing.logged_models(["0"]))
        assert not list(listing.traces(["0"]))
