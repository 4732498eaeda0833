"""Calls what wraps a library when that library has been imported by somebody else; imports none itself."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing `typing` would cost more than all of this module
if TYPE_CHECKING:
    from typing import Any

#: Modules that are looked at once they are loaded, and the module of ours whose `wrap` does it.
WATCHED = {
    "mlflow.tracking._tracking_service.client": "runs",
    "mlflow.tracking.fluent": "runs",
    "pyarrow": "arrow",
    "pyarrow.csv": "arrow",
    "pyarrow.dataset": "arrow",
    "pyarrow.feather": "arrow",
    "pyarrow.json": "arrow",
    "pyarrow.orc": "arrow",
    "pyarrow.parquet.core": "arrow",
    "duckdb": "sql",
    "fsspec.spec": "remote",
    "datasets.load": "frames",
    "polars": "frames",
    "h5py": "frames",
}


class Finder:
    """The first of `sys.meta_path`: finds what the others find, and sees to it that a watched module is wrapped."""

    def __init__(self) -> None:
        self._asking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in WATCHED or name in self._asking:
            return None
        self._asking.add(name)
        try:
            for finder in list(sys.meta_path):
                spec = None if finder is self else finder.find_spec(name, path, target)
                if spec is not None:
                    _see_to(spec, name)
                    return spec
        finally:
            self._asking.discard(name)
        return None


def _see_to(spec: Any, name: str) -> None:
    loader = spec.loader
    execute = getattr(loader, "exec_module", None)
    if execute is None:
        return

    def exec_module(module: Any) -> None:
        execute(module)
        loaded(name, module)

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader of somebody's own: what it loads is not seen
        return


def loaded(name: str, module: Any) -> None:
    """Wrap a module that has been loaded; an error leaves it as it is."""
    try:
        from importlib import import_module

        import_module(f"provstore_mlflow.{WATCHED[name]}").wrap(name, module)
    except Exception as error:
        from provstore_mlflow.quietly import trouble

        trouble(error)


def catch_up() -> None:
    """Wrap what was loaded before this package was, where `provstore_mlflow.pth` was not read."""
    for name in WATCHED:
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if module is not None and not getattr(spec, "_initializing", False):
            loaded(name, module)
