"""What Polars and HDF5 open by themselves."""

from __future__ import annotations

from typing import Any

from provstore_mlflow.places import sources
from provstore_mlflow.quietly import around

_FORMATS = ("csv", "csv_batched", "parquet", "ipc", "ipc_stream", "ndjson", "json", "avro", "excel")


def wrap(name: str, module: Any) -> None:
    if name == "h5py":
        around(module.File, "__init__", before=_hdf5)
        return
    for each in _FORMATS:
        for verb in ("read", "scan"):
            around(module, f"{verb}_{each}", before=_first)


def _first(source: Any = None, *args: Any, **kwargs: Any) -> None:
    sources(source, "polars")


def _hdf5(self: Any, name: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
    if mode in ("r", "r+", "a"):
        sources(name, "h5py")
