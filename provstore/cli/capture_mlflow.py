"""`provstore capture mlflow`: an MLflow server, or what was handed over of one, brought into a store."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provstore.capture.mlflow import keys
from provstore.cli import sink
from provstore.cli.output import show_json, tell, write
from provstore.errors import Misconfigured
from provstore.pull.emitter import Counts, Emitter
from provstore.pull.mlflow import offline, rest
from provstore.pull.mlflow.files import Bounds
from provstore.pull.mlflow.follow import follow, once
from provstore.pull.mlflow.handed import Handed
from provstore.pull.mlflow.listing import Listing
from provstore.pull.mlflow.poller import Options, Poller
from provstore.pull.mlflow.webhooks import Delivery, Gate, Listener
from provstore.settings import MlflowAccess, Settings, mlflow_access


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Pull everything once, or go on until it is stopped; 1 where the store refused something."""
    path = Path(arguments.source)
    handed = "://" not in arguments.source and path.exists()
    if handed and arguments.follow:
        raise Misconfigured(f"{path} does not change: --follow goes with the http:// or https:// URI of a server")
    if not 0 < arguments.interval < 86_400:
        raise Misconfigured(f"--interval is a number of seconds below a day, got {arguments.interval}")
    if arguments.listen and not arguments.follow:
        raise Misconfigured("--listen goes with --follow: webhooks come for as long as it runs")
    with _source(arguments, path if handed else None) as (listing, server), sink.opened(settings) as store:
        emitter = Emitter(store, keys.prefix(server), lambda said: (keys.key(said), keys.digest(said)), tell)
        poller = Poller(listing, emitter, server, _options(arguments, settings), tell)
        if arguments.follow:
            _follow(arguments, settings, poller, listing)
        else:
            once(poller)
        return _done(emitter.counts, arguments.format)


@contextmanager
def _source(arguments: argparse.Namespace, path: Path | None) -> Iterator[tuple[Listing, str]]:
    """What to ask, and the name of the server in what is recorded."""
    if path is None:
        where = rest.address(arguments.source)
        yield Listing(rest.Rest(where, mlflow_access())), arguments.namespace or where.url
        return
    with offline.served(path, arguments.mlflow) as url:
        served = rest.Rest(rest.address(url), MlflowAccess())
        yield Handed(served, path), arguments.namespace or path.resolve().as_uri()


def _options(arguments: argparse.Namespace, settings: Settings) -> Options:
    return Options(
        traces=arguments.traces,
        commitment_key=settings.commitment_key,
        bounds=Bounds(0 if arguments.no_artifacts else arguments.max_file_bytes, arguments.max_run_bytes),
    )


def _follow(arguments: argparse.Namespace, settings: Settings, poller: Poller, listing: Listing) -> None:
    wake = threading.Event()
    secret = settings.webhook_secret
    listener = _listener(arguments.listen, secret, poller, listing, wake) if arguments.listen else None
    try:
        follow(poller, arguments.interval, wake, tell, lambda: _say(f"caught up with {listing.url}"))
    except KeyboardInterrupt:
        tell("stopped")
    finally:
        if listener:
            listener.close()


def _listener(place: str, secret: str, poller: Poller, listing: Listing, wake: threading.Event) -> Listener:
    host, _, port = place.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535 or not host:
        raise Misconfigured(f"--listen is HOST:PORT, got {place[:60]!r}")
    if not secret:
        raise Misconfigured("webhooks are believed by their signature: set PROVSTORE_WEBHOOK_SECRET to their secret")

    def take(delivery: Delivery) -> None:
        poller.aliases.hear(delivery)
        wake.set()

    listener = Listener(host.strip("[]"), int(port), Gate(secret), take, listing.now)
    _say(f"webhooks are taken at http://{host}:{listener.port}/")
    return listener


def _say(text: str) -> None:
    write(f"{text}\n")
    sys.stdout.flush()


def _done(counts: Counts, form: str) -> int:
    said = {"new": counts.new, "changed": counts.changed, "refused": counts.refused}
    if form == "json":
        show_json(said, indent=None)
    else:
        write(", ".join(f"{number:,} {what}" for what, number in said.items()) + "\n")
    return 1 if counts.refused else 0
