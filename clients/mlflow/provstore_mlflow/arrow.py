"""What pyarrow opens by itself, in C++, where no audit hook sees it."""

from __future__ import annotations

from typing import Any

from provstore_mlflow.places import sources
from provstore_mlflow.quietly import around

_FUNCTIONS = {
    "pyarrow": ("memory_map", "input_stream"),
    "pyarrow.csv": ("read_csv", "open_csv"),
    "pyarrow.json": ("read_json", "open_json"),
    "pyarrow.feather": ("read_table",),
    "pyarrow.orc": ("read_table",),
}


def wrap(name: str, module: Any) -> None:
    for function in _FUNCTIONS.get(name, ()):
        around(module, function, before=_first)
    if name == "pyarrow.dataset":
        around(module, "dataset", after=lambda found, *args, **kwargs: _files(found))
    elif name == "pyarrow.orc":  # its class takes what `read_table` has opened, or a name
        around(module.ORCFile, "__init__", before=lambda self, source, *args, **kwargs: _first(source))
    elif name == "pyarrow.parquet.core":
        around(module.ParquetFile, "__init__", before=_parquet_file)
        around(module.ParquetDataset, "__init__", after=lambda _, self, *args, **kwargs: _files(self))


def _first(source: Any, *args: Any, **kwargs: Any) -> None:
    sources(source, "pyarrow")


def _parquet_file(self: Any, source: Any, *args: Any, filesystem: Any = None, **kwargs: Any) -> None:
    sources(source, "pyarrow", filesystem)


def _files(found: Any) -> None:
    """Every file of a dataset, of one that is made of others theirs."""
    for child in getattr(found, "children", ()):
        _files(child)
    files = getattr(found, "files", None)
    if files:
        sources(list(files), "pyarrow", getattr(found, "filesystem", None))
