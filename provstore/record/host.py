"""The process that records: its code, environment, machine and user, each looked at once."""

from __future__ import annotations

import getpass
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from provstore.observe import environment, git
from provstore.observe.hashing import Hasher
from provstore.record.things import Facts

#: In a session in which code is written while it runs, the state of the code is looked at again after so many seconds.
_FRESH = 10.0


class Host:
    """What a process is, as members of a payload; `variables` are those of its environment."""

    def __init__(self, variables: Mapping[str, str], hasher: Hasher, code: str = "") -> None:
        self._variables, self._hasher, self._code = variables, hasher, code
        self._state: Facts = {}
        self._looked = float("-inf")
        self._facts: Facts | None = None

    def look(self) -> None:
        """See which code runs: as a program begins, later on only where it is written meanwhile."""
        interactive = hasattr(sys, "ps1") or "ipykernel" in sys.modules
        if self._looked == float("-inf") or (interactive and time.monotonic() - self._looked > _FRESH):
            self._looked = time.monotonic()
            self._state = self._seen()

    @property
    def repository(self) -> str:
        """The address of the code, without credentials; "" where none is known."""
        return str(self._state.get("repository", ""))

    def facts(self) -> Facts:
        """Code, environment without its packages, machine, seeds of the process."""
        if self._facts is None:
            self._facts = self._told()
        facts = {"code": self._state} if self._state else {}
        return {**facts, **self._facts}

    def environment(self) -> Facts:
        """The environment with its packages, to be told once a process."""
        self.facts()
        return {**self._whole}

    def user(self) -> str:
        """Who the operating system says runs this; "" where it does not."""
        try:
            return getpass.getuser()
        except Exception:
            return ""

    def _told(self) -> Facts:
        found = environment.environment()
        self._whole: Facts = {
            "sha256": found.sha256,
            "python": found.python,
            "implementation": found.implementation,
            "platform": found.platform,
            "packages": list(found.packages),
        }
        machine = {name: value for name, value in asdict(environment.machine(self._variables)).items() if value}
        seeds = environment.seeds(self._variables)
        told: Facts = {"environment": {"sha256": found.sha256}, "machine": machine}
        return {**told, "seeds": seeds} if seeds else told

    def _seen(self) -> Facts:
        main = getattr(sys.modules.get("__main__"), "__file__", None)
        script = os.path.abspath(main) if main else ""
        directory = self._code or (os.path.dirname(script) if script else os.getcwd())
        found = git.code_state(directory, self._hasher)
        if found is None or not found.commit:
            return {}
        said: dict[str, Any] = {
            "commit": found.commit,
            "branch": found.branch,
            "repository": found.remote,
            "diffSha256": found.diff_sha256,
            "shallow": found.shallow,
        }
        if script and Path(script).is_relative_to(found.root):
            said["path"] = Path(script).relative_to(found.root).as_posix()
        kept = {name: value for name, value in said.items() if value}
        return kept if found.dirty is None else {**kept, "dirty": found.dirty}
