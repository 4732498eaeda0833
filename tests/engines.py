"""A SPARQL 1.1 server that knows nothing of provstore: `oxigraph serve` on a free port of this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_PROGRAM = Path(sys.executable).with_name("oxigraph")
_START_SECONDS = 30.0


@contextmanager
def plain_engine(*arguments: str) -> Iterator[httpx.Client]:
    """A running server, in memory unless arguments say otherwise: `/query` asks it, `/store` loads N-Quads."""
    with socket.socket() as free:  # the server does not say which port it took, so it is given one
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    verb, *more = arguments or ("serve",)
    process = subprocess.Popen(
        [str(_PROGRAM), verb, "--bind", address, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=60) as http:
            _wait(process, http)
            yield http
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], http: httpx.Client) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            http.get("/query", params={"query": "ASK {}"}).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(f"the engine did not start (code {process.poll()})")
