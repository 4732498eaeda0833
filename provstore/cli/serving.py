"""`provstore serve` and `provstore demo`."""

from __future__ import annotations

import argparse
import gc
import ipaddress
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import uvicorn

from provstore import resources
from provstore.api import create_app, logs
from provstore.capture.payloads import Limits
from provstore.capture.syntax import media_type_of
from provstore.cli.progress import Progress
from provstore.core import ProvStore, intake
from provstore.core.intake import Body
from provstore.core.service import Service
from provstore.errors import Misconfigured
from provstore.settings import Settings

_DEMO_BASE = "https://prov.example"
#: The worked examples, each a folder of `examples`.
EXAMPLES = ("clinical", "credit", "credit-risk")


def serve(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until interrupted."""
    _check_host(settings.host)
    directory = Path(settings.data)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    listening = _listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    note = directory / "server.json"
    app = create_app(settings)
    config = uvicorn.Config(
        app, http="httptools", log_config=logs.config(settings.log_level), access_log=False, lifespan="off"
    )
    server = _Server(config, app.state.service, note, url)
    try:
        server.run([listening])
    finally:
        server.forget()
    return 0 if server.started else 2


def demo(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load the examples (again does nothing) and serve them."""
    settings = replace(settings, base=settings.base or _DEMO_BASE)
    _check_host(settings.host)
    with (
        closing(ProvStore(Path(settings.data), base=settings.base)) as store,
        Progress("examples", " files") as progress,
    ):
        files = list(_examples(arguments.examples or EXAMPLES))
        for number, file in enumerate(files, 1):
            kind = media_type_of(file.name) or "application/json"
            body = Body(file.read_bytes(), kind, None, store.base, Limits())
            items = [intake.read_document(body)] if intake.is_rdf(kind) else intake.read_payloads(body)
            store.ingest([item.submission("examples") for item in items])
            progress(number, len(files))
    return serve(arguments, settings)


def _examples(names: Sequence[str]) -> Iterator[Path]:
    """The files of worked examples, in the order of their names."""
    for name in names:
        if name not in EXAMPLES:
            raise Misconfigured(f"there is no worked example {name[:80]!r}: they are {', '.join(EXAMPLES)}")
        for file in resources.files("examples", f"{name}/**/*.*"):
            if file.suffix in (".trig", ".ttl", ".jsonl", ".ndjson") and "project" not in file.parts:
                yield file


class _Server(uvicorn.Server):
    """Opens the store before it lets anybody in, and says where it is once it answers, to people and to commands.

    It does the work of the application's lifespan itself, so that what keeps a store from opening is raised here.
    """

    def __init__(self, config: uvicorn.Config, service: Service, note: Path, url: str) -> None:
        super().__init__(config)
        self._service, self._note, self._url = service, note, url
        self._noted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._service.start()
        gc.collect()
        gc.freeze()  # what is here now stays: no collection need look at it again while somebody waits
        await super().startup(sockets)
        if self.started:
            self._noted = True
            self._note.write_text(json.dumps({"url": self._url, "pid": os.getpid()}))
            print(_WELCOME.format(url=self._url), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # before anything ends, so that nobody is sent here any more; SIGTERM ends the process when this is done
        self.forget()
        await super().shutdown(sockets)
        await self._service.close()

    def forget(self) -> None:
        """Take back the note that this server wrote; that of another one which has the directory is not ours."""
        if self._noted:
            self._note.unlink(missing_ok=True)


_WELCOME = """provstore serves {url}

Try
  open {url}/                     what is in here, and what to ask
  provstore lineage --server {url} https://prov.example/prediction/1
  provstore search --server {url} risk score
  provstore query --server {url}  the questions that come ready-made
  curl {url}/ledger/checkpoint    keep it: it holds the ledger to its word
Stop with Ctrl-C."""


def _check_host(host: str) -> None:
    """There is no access control yet, so only this machine may reach the server."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Misconfigured(
            f"host {host!r} is not a loopback address: the server has no access control and would be open to everybody;"
            " listen on 127.0.0.1 and put a proxy that authenticates in front of it"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol by name: asyncio turns Nagle's delay off only for sockets that say they are TCP
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from error
    return listening
