"""Pages of documentation as scripts: their commands run as they stand, and the output they show is what is printed.

A block of `sh` is run; a block of `text` right after it is what it prints. Of what is shown, spaces and rules count as
one, and `…` stands for anything: alone on a line for lines left out, in a line for the rest of it or a part.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import Server
from tests.suites import ROOT

#: Where pages say that the server is, and what they call the data of `make run`.
ADDRESS, DATA = "http://127.0.0.1:8000", ".run-data"
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
#: What a page asks of its reader, and a test has done already: setting up, and serving in another terminal.
_DONE = re.compile(r"\s*(make |pip install |([A-Z_]+=\S+ )*provstore (serve|demo)\b)")


@dataclass(frozen=True, slots=True)
class Step:
    """Commands, what they are shown to print (None where nothing is shown), and the line of the page they begin on."""

    script: str
    shown: str | None
    line: int


def steps(text: str) -> list[Step]:
    """The steps of a page in their order, without those that set up."""
    found = [Step(m[1], m[2], text.count("\n", 0, m.start()) + 2) for m in _BLOCK.finditer(text)]
    return [step for step in found if not _DONE.match(step.script)]


def walk(page: Path, server: Server, home: Path, *, first: Path | None = None) -> int:
    """Run the steps of a page one after the other in `home`, as a reader would in one terminal; how many there are.

    Programs are looked for in `first` before all others.
    """
    environment = {**_environment(home, first), "PROVSTORE_DATA": str(server.directory)}
    taken = steps(page.read_text(encoding="utf-8"))
    for step in taken:
        _caught_up(server)
        script = step.script.replace(ADDRESS, server.url).replace(DATA, str(server.directory))
        done = subprocess.run(
            ["bash", "-eu", "-c", f"[ ! -e .exported ] || . ./.exported\n{script}\nexport -p > .exported"],
            capture_output=True, text=True, cwd=home, env=environment, check=False, timeout=120,
        )  # fmt: skip
        where = f"{page.relative_to(ROOT)}:{step.line}"
        assert done.returncode == 0, f"{where}\n{done.stdout}\n{done.stderr}"
        missing = unseen(step.shown or "", done.stdout.replace(server.url, ADDRESS))
        assert missing is None, (
            f"{where} shows a line that was not printed:\n{missing}\nbut\n{done.stdout}{done.stderr}"
        )
    return len(taken)


def _caught_up(server: Server) -> None:
    """Answers may lag by a second, which is less than a reader takes from one step to the next."""
    head = server.http.get("/health").json()["head"]
    assert server.sparql("ASK {}", min_index=head).status_code == 200


def _environment(home: Path, first: Path | None) -> dict[str, str]:
    """That of a reader with `provstore` on the path and none of its settings."""
    programs = home / ".programs"
    programs.mkdir(exist_ok=True)
    runs = {"provstore": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m provstore "$@"\n'}
    if not first:
        runs["python"] = f'exec "{sys.executable}" "$@"\n'
    for name, line in runs.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}")
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROVSTORE_")}
    path = [str(programs), *([str(first)] if first else []), kept["PATH"]]
    return {**kept, "PATH": ":".join(path)}


def unseen(shown: str, printed: str) -> str | None:
    """The first line that is shown and was not printed where it should be; None if all were."""
    lines: Iterator[str] = map(_plain, filter(str.strip, printed.splitlines()))
    skipping = False
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == "…":
            skipping = True
            continue
        wanted = re.compile(".*".join(map(re.escape, _plain(line).split("…"))))
        found = any(map(wanted.fullmatch, lines)) if skipping else bool(wanted.fullmatch(next(lines, "")))
        if not found:
            return line
        skipping = False
    return None if skipping or not shown.strip() or next(lines, None) is None else "(it shows no more, but more came)"


def _plain(line: str) -> str:
    return re.sub(r"─+", "─", re.sub(r"\s+", " ", line)).strip()
