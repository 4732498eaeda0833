"""What Polars and HDF5 open by themselves, and what Hugging Face's `datasets` takes from its cache."""

from __future__ import annotations

import os
from typing import Any

from provstore_mlflow.hook import note
from provstore_mlflow.places import sources
from provstore_mlflow.quietly import around

_FORMATS = ("csv", "csv_batched", "parquet", "ipc", "ipc_stream", "ndjson", "json", "avro", "excel")
#: Formats that `load_dataset` takes for the name of a data set.
_PACKAGED = {
    "csv",
    "json",
    "parquet",
    "arrow",
    "text",
    "pandas",
    "xml",
    "sql",
    "generator",
    "webdataset",
    "hdf5",
    "lance",
}


def wrap(name: str, module: Any) -> None:
    if name == "h5py":
        around(module.File, "__init__", before=_hdf5)
        return
    if name == "datasets.load":
        around(module, "load_dataset", before=_dataset)
        return
    for each in _FORMATS:
        for verb in ("read", "scan"):
            around(module, f"{verb}_{each}", before=_first)


def _first(source: Any = None, *args: Any, **kwargs: Any) -> None:
    sources(source, "polars")


def _hdf5(self: Any, name: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
    if mode in ("r", "r+", "a"):
        sources(name, "h5py")


def _dataset(path: Any, *args: Any, data_files: Any = None, revision: Any = None, **kwargs: Any) -> None:
    """The files that are named, though a copy of them may be read; of a data set of the hub its address there."""
    for each in data_files.values() if isinstance(data_files, dict) else (data_files,):
        sources(each, "datasets")
    if os.path.isdir(path):
        sources(path, "datasets")
    elif path not in _PACKAGED and not path.endswith("folder"):
        note(f"hf://datasets/{path}" + (f"@{revision}" if revision else ""), "datasets")
