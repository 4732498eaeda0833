"""What DuckDB opens by itself: files that a call or the text of a query names."""

from __future__ import annotations

import os
import re
from glob import glob, has_magic
from typing import Any

from provstore_mlflow.places import sources
from provstore_mlflow.quietly import around

_READERS = ("read_csv", "read_json", "read_parquet", "from_csv_auto", "from_parquet")
_QUERIES = ("sql", "query", "execute", "from_query")
#: A quoted text that is not the target of `COPY … TO` or `EXPORT DATABASE`.
_QUOTED = re.compile(r"(?:\b(to|database)\s*)?(?:'((?:[^']|''){1,4096})'|\"([^\"]{1,4096})\")", re.I)


def wrap(name: str, module: Any) -> None:
    for each in _READERS:
        around(module, each, before=_reads)
        around(module.DuckDBPyConnection, each, before=lambda self, *args, **kwargs: _reads(*args, **kwargs))
    for each in _QUERIES:
        around(module, each, before=_queries)
        around(module.DuckDBPyConnection, each, before=lambda self, *args, **kwargs: _queries(*args, **kwargs))
    around(module, "connect", before=_reads)


def _reads(source: Any = None, *args: Any, **kwargs: Any) -> None:
    every = source if isinstance(source, (list, tuple)) else [source]
    for each in every:
        if isinstance(each, (str, os.PathLike)):
            _named(os.fspath(each))


def _queries(query: Any = None, *args: Any, **kwargs: Any) -> None:
    text = query if isinstance(query, str) else ""
    for target, single, double in _QUOTED.findall(text):
        if not target:
            _named((single or double).replace("''", "'"))
    for values in (*args, kwargs.get("parameters"), kwargs.get("params")):
        for value in (
            values.values() if isinstance(values, dict) else values if isinstance(values, (list, tuple)) else ()
        ):
            if isinstance(value, str):
                _named(value)


def _named(text: Any) -> None:
    if "://" in text:
        sources(text, "duckdb")
    elif isinstance(text, str) and has_magic(text) and len(text) < 4096 and "\n" not in text:
        sources(sorted(glob(text, recursive=True))[:10_000], "duckdb")
    elif text and os.path.isfile(text):
        sources(text, "duckdb")
