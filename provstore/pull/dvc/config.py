"""`.dvc/config`: where remotes, databases and the cache are, so that what DVC calls by a name goes by its address."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Final

_SECTION = re.compile(r"""\[\s*(['"]?)(\w+)(?:\s+"([^"]*)")?\1\s*\]""")
_OPTION = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*\Z")
_REMOTE = re.compile(r"remote://([^/]+)/?(.*)\Z", re.DOTALL)
#: Remotes that are named by remotes.
_MAX_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class Config:
    """What one file says: addresses of remotes and databases by name, and the folder of the cache."""

    remotes: dict[str, str] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    cache: str = ""

    def located(self, path: str, folder: str) -> str:
        """A path where `remote://name/…` is the address of that remote, if known; `folder` is what holds `.dvc`."""
        for _ in range(_MAX_STEPS):
            named = _REMOTE.match(path)
            if named is None or named[1] not in self.remotes:
                return path
            url = self.remotes[named[1]]
            if "://" not in url and not url.startswith("/"):
                url = posixpath.normpath(posixpath.join(folder, ".dvc", url))  # relative to the file itself
            path = f"{url.rstrip('/')}/{named[2]}".rstrip("/")
        return path


def parsed(data: bytes) -> Config:
    """What a file says; lines of other forms are overlooked, as are all other sections and options."""
    found: dict[str, dict[str, str]] = {"remote": {}, "db": {}, "cache": {}}
    section, name = "", ""
    for line in data.decode(errors="replace").splitlines():
        if heading := _SECTION.match(line.strip()):
            section, name = heading[2], heading[3] or ""
        elif (option := _OPTION.match(line)) and option[2]:
            value = option[2].split(" #")[0].strip().strip("'\"")
            if section in ("remote", "db") and option[1] == "url":
                found[section][name] = value
            elif (section, option[1]) == ("cache", "dir"):
                found["cache"]["dir"] = value
    return Config(found["remote"], found["db"], found["cache"].get("dir", ""))
