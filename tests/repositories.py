"""Git repositories for tests: made by git itself, with authors and times that are told."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

AUTHOR = {
    "GIT_AUTHOR_NAME": "Ana Author",
    "GIT_AUTHOR_EMAIL": "ana@example.org",
    "GIT_COMMITTER_NAME": "Ana Author",
    "GIT_COMMITTER_EMAIL": "ana@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}


class Git:
    """One repository in a directory, each commit a minute after the one before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._minute = 0
        directory.mkdir(parents=True, exist_ok=True)
        self("init", "-q", "-b", "main")

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.directory,
            env=AUTHOR,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    @staticmethod
    def log(directory: Path, form: str, *arguments: str) -> list[str]:
        """A line of each commit of a repository, the newest first: of all of them where no ref is named."""
        which = arguments if arguments and arguments[0] != "--" else ("--all", *arguments)
        return str(Git.show(directory, f"--format={form}", *which, verb="log")).splitlines()

    @staticmethod
    def show(directory: Path, *arguments: str, verb: str = "show", raw: bool = False) -> Any:
        """What git shows, as text or (`raw`) as bytes."""
        line = ["git", "-c", "safe.directory=*", verb, *arguments]
        out = subprocess.run(line, cwd=directory, env=AUTHOR, capture_output=True, check=True).stdout
        return out if raw else out.decode().strip()

    def commit(self, message: str, files: dict[str, str | bytes | None] | None = None) -> str:
        """Write files, commit all that is there, and give the commit's name."""
        self.write(files or {})
        self("add", "-A")
        self._minute += 1
        when = f"2026-03-01T{self._minute // 60:02}:{self._minute % 60:02}:00+01:00"
        self("-c", "core.hooksPath=/dev/null", "commit", "-q", "--allow-empty", f"--date={when}", "-m", message)
        return self("rev-parse", "HEAD")

    def write(self, files: dict[str, str | bytes | None]) -> None:
        """Write files by their paths; None takes one away."""
        for name, content in files.items():
            path = self.directory / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
