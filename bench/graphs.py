"""What it costs that every live triple stands in the default graph once more, and what the union flag would cost."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import pyoxigraph as ox

from bench.events import events
from provstore.capture.openlineage import map_event
from provstore.views.apply import without_graph

_EVENTS = 1500
_QUERY = "SELECT ?r ?e WHERE { ?r a <https://w3id.org/provstore/ns#Run> . ?r <http://www.w3.org/ns/prov#used> ?e }"


def main() -> None:
    """Print load rate, size and the time and rows of one query for each way to keep the graphs."""
    texts = [
        mapped.whole.decode()
        for mapped in (map_event(json.loads(raw), base="https://bench.example") for raw in events(_EVENTS))
    ]
    print("| kept | loaded events/s | on disk | the query | rows |\n|---|---|---|---|---|")
    _measure("named graphs only, asked with the union flag", texts, union=True)
    _measure("named graphs and the default graph", [text + without_graph(text) for text in texts], union=False)
    _measure("default graph only", [without_graph(text) for text in texts], union=False)


def _measure(what: str, texts: list[str], *, union: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = ox.Store(directory)
        started = time.perf_counter()
        for text in texts:
            store.load(text.encode(), format=ox.RdfFormat.N_QUADS)
        rate = len(texts) / (time.perf_counter() - started)
        store.flush()
        size = sum(path.stat().st_size for path in Path(directory).iterdir()) / 1e6
        started = time.perf_counter()
        result = store.query(_QUERY, use_default_graph_as_union=union)
        assert isinstance(result, ox.QuerySolutions)
        rows = sum(1 for _ in result)
        spent = (time.perf_counter() - started) * 1000
    print(f"| {what} | {rate:.0f} | {size:.0f} MB | {spent:.0f} ms | {rows} |")


if __name__ == "__main__":
    main()
