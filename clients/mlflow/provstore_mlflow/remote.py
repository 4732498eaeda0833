"""What fsspec opens elsewhere: in object stores, on the web (`s3fs`, `gcsfs`, `adlfs`, `huggingface_hub`, …)."""

from __future__ import annotations

from typing import Any

from provstore_mlflow.hook import note
from provstore_mlflow.quietly import around

#: Local, or around another file system that is asked in its turn.
_NOT_REMOTE = {"file", "local", "memory", "dir", "zip", "tar", "libarchive", "reference", "generic", "async_wrapper"}


def wrap(name: str, module: Any) -> None:
    around(module.AbstractFileSystem, "open", before=_opens)


def _opens(self: Any, path: Any, mode: str = "rb", *args: Any, **kwargs: Any) -> None:
    protocol = self.protocol if isinstance(self.protocol, str) else self.protocol[0]
    if "r" not in mode or protocol in _NOT_REMOTE or protocol.endswith("cache") or not isinstance(path, str):
        return
    note(path if "://" in path else f"{protocol}://{path.lstrip('/')}", "fsspec")
