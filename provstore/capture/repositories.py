"""What repositories of source code are called, whoever tells of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[^@/:]+@)?([^/:\[\]]+):(?!//)(.*)\Z")


def address(url: str) -> str:
    """One name for a repository, however it is reached: `https://host/path`, without user, password and `.git`.

    `git@host:path` (scp's form), `ssh://`, `git://` and `http://` are written as `https://`; a path is `file://…`.
    """
    url = url.strip()
    if not url:
        return ""
    scp = _SCP.match(url) if "://" not in url else None
    if "://" not in url and scp is None:
        return f"file://{_bare(url)}"
    if scp is not None:
        return f"https://{scp[1].lower()}/{_bare(scp[2].lstrip('/'))}"
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if parts.scheme == "file":
        return f"file://{_bare(parts.path)}"
    usual = {"ssh": 22, "git": 9418, "http": 80, "https": 443}.get(parts.scheme)
    where = host if port in (None, usual) else f"{host}:{port}"
    scheme = "https" if usual else parts.scheme
    return f"{scheme}://{where}/{_bare(parts.path.lstrip('/'))}"


def _bare(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")
