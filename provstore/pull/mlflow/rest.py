"""MLflow's REST interface over the standard library: requests, pages, downloads; credentials stay here."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from provstore.errors import Misconfigured, NotFound, SourceUnavailable
from provstore.settings import MlflowAccess

Object = dict[str, Any]

#: How many are asked for at once, where MLflow lets one choose.
PAGE: Final = 1000
_TIMEOUT: Final = 60
_LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
_PORTS: Final = {"http": 80, "https": 443}
#: MLflow's own word for what is not there, and for a route or a field that an older server does not know.
_GONE: Final = "RESOURCE_DOES_NOT_EXIST"
#: Answers that the same request may not get later; how long it waits for that, unless told; and at most, in seconds.
_LATER: Final = (429, 502, 503, 504)
_WAITS: Final = (0.2, 0.5, 1.0)
_LONGEST: Final = 30.0
#: Clocks that differ by no more, in seconds, are taken for the same.
_JITTER: Final = 2.0


class NoRoute(SourceUnavailable):
    """A 404 that is not MLflow's own word."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a tracking server is (`url`, without a slash at its end), and what was said of a user in front of it."""

    url: str
    username: str = ""
    password: str = ""


def address(uri: str) -> Address:
    """The address in a tracking URI, in one spelling: scheme and host in lower case, no port that goes without saying.

    Misconfigured where it is no http or https URI.
    """
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError as error:
        raise Misconfigured(f"the tracking URI cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Misconfigured(
            f"the tracking URI must begin with http:// or https://, or be an mlflow.db or mlruns that is there; got"
            f" {_without_user(parts)[:100]!r}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
    return Address(url, unquote(parts.username or ""), unquote(parts.password or ""))


def _without_user(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class _SameHost(HTTPRedirectHandler):
    """Credentials go to the server that was named, and follow a redirect to no other."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if urlsplit(urljoin(req.full_url, newurl))[:2] != urlsplit(req.full_url)[:2]:
            raise SourceUnavailable(f"{req.host} sends on to another server, {urlsplit(newurl).netloc}: name that one")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Rest:
    """One MLflow server; every request may raise SourceUnavailable (try again), NotFound, or Misconfigured.

    What a server or a proxy cannot answer now is asked again a few times, as late as it says. NotFound is MLflow's own
    word alone; a bare 404 is NoRoute: of an older MLflow, or of a proxy that has lost it for a while.
    """

    def __init__(self, where: Address, access: MlflowAccess) -> None:
        self.url = where.url
        self._ahead = 0.0  # how far MLflow's clock is ahead of this machine's, in seconds
        self._headers = {"Accept": "application/json", "User-Agent": "provstore", **_authorization(where, access)}
        self._open = _opener(where.url, insecure=access.insecure_tls).open

    def now(self) -> float:
        """This instant by MLflow's clock, as far as its answers tell it; in seconds since 1970."""
        return time.time() + self._ahead

    def get(self, path: str, query: Object | None = None) -> Object:
        """The JSON object that a GET is answered with."""
        asked = f"?{urlencode(query)}" if query else ""
        return self._json(Request(f"{self.url}{path}{asked}", headers=self._headers))

    def post(self, path: str, body: Object) -> Object:
        """The JSON object that a POST is answered with."""
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._json(Request(f"{self.url}{path}", json.dumps(body).encode(), headers))

    def chunks(self, path: str, query: Object) -> Iterator[bytes]:
        """The bytes of a download, piece by piece; all of them, or SourceUnavailable."""
        with self._answer(Request(f"{self.url}{path}?{urlencode(query)}", headers=self._headers)) as answer:
            expected = answer.headers.get("Content-Length")
            got = 0
            while chunk := answer.read(1 << 20):
                got += len(chunk)
                yield chunk
            if expected is not None and got != int(expected):
                raise SourceUnavailable(f"{path}: cut off after {got} of {expected} bytes")

    def _json(self, request: Request) -> Object:
        with self._answer(request) as answer:
            body = answer.read()
        try:
            said = json.loads(body or b"{}")
        except ValueError as error:
            raise Misconfigured(f"what answers at {self.url} is no MLflow server: {body[:60]!r}") from error
        if not isinstance(said, dict):
            raise Misconfigured(f"what answers at {self.url} is no MLflow server: {body[:60]!r}")
        return said

    @contextmanager
    def _answer(self, request: Request) -> Iterator[HTTPResponse]:
        try:
            with self._opened(request) as answer:
                self._hear_clock(answer.headers.get("Date"))
                yield answer
        except HTTPError as error:
            raise self._refusal(request, error) from error
        except (OSError, HTTPException, ValueError) as error:
            raise SourceUnavailable(
                f"no answer from MLflow at {self.url}: {getattr(error, 'reason', error)}"
            ) from error

    def _opened(self, request: Request) -> HTTPResponse:
        for wait in _WAITS:
            try:
                found: HTTPResponse = self._open(request, timeout=_TIMEOUT)
                return found
            except HTTPError as error:
                if error.code not in _LATER:
                    raise
                told = error.headers.get("Retry-After") or ""
                error.close()
                time.sleep(min(float(told), _LONGEST) if told.isascii() and told.isdigit() else wait)
            except (OSError, HTTPException):  # nobody there, or cut off before the answer
                time.sleep(wait)
        last: HTTPResponse = self._open(request, timeout=_TIMEOUT)
        return last

    def _hear_clock(self, date: str | None) -> None:
        """A `Date` is cut to whole seconds (RFC 9110 §5.6.7), and may be some time on its way."""
        try:
            ahead = parsedate_to_datetime(date or "").timestamp() + 0.5 - time.time()
        except ValueError:
            return
        self._ahead = ahead if abs(ahead) > _JITTER else 0.0

    def _refusal(self, request: Request, error: HTTPError) -> Misconfigured | NotFound | SourceUnavailable:
        try:
            body = error.read()
            said = json.loads(body)
            code, message = str(said.get("error_code", "")), str(said.get("message", ""))
        except (OSError, HTTPException, ValueError, AttributeError):
            code, message = "", ""
        what = f"{urlsplit(request.full_url).path}: {error.code} {code} {message[:200]}".rstrip()
        if error.code in (401, 403):
            return Misconfigured(
                f"MLflow refuses {what}; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or"
                " MLFLOW_TRACKING_TOKEN, of a user who may read"
            )
        if code == _GONE:
            return NotFound(f"MLflow has no such thing, {what}")
        if error.code == 404 and not code:
            return NoRoute(f"what answers at {self.url} has no {what}; is it an MLflow server?")
        if error.code in (*_LATER, 500):
            return SourceUnavailable(f"MLflow could not answer {what}")
        return Misconfigured(f"MLflow refuses {what}")


def _authorization(where: Address, access: MlflowAccess) -> dict[str, str]:
    """As MLflow's own client: a user name and a password before a token; what the URI says before the environment."""
    user, password = where.username or access.username, where.password or access.password
    if user and password:
        return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {access.token}"} if access.token else {}


def _opener(url: str, *, insecure: bool) -> OpenerDirector:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    direct = [ProxyHandler({})] if urlsplit(url).hostname in _LOOPBACK else []
    return build_opener(_SameHost(), HTTPSHandler(context=context), *direct)
