"""Runs emitters as users do: in an environment of their own, configured by variables, against a running server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from provstore.capture.openlineage import map_event
from provstore.model import Liberty
from tests.environments import programs
from tests.servers import BASE, Server
from tests.suites import ROOT

_PAGE = (ROOT / "docs" / "openlineage.md").read_text()
_URL = "http://127.0.0.1:8000"  # in the page


def snippet(part: str, *held: str) -> str:
    """The only code block of docs/openlineage.md under a heading that holds the given words."""
    section = re.split(r"^## ", _PAGE.partition(f"## {part}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^```\w+\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if all(word in block for word in held)]
    return str(found)


def ran(
    environment: str, home: Path, settings: dict[str, str], *command: str | Path, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command in an emitter's environment, in the folder `home` and with no other settings than the given."""
    line, found = [str(part) for part in command], programs(environment)
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    env = {**kept, "HOME": str(home), "PATH": f"{found}:/usr/bin:/bin", "DO_NOT_TRACK": "1", **settings}
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=home, env=env, check=False)
    assert done.returncode == code, f"{' '.join(line)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def shell(script: str, server: Server) -> tuple[str, str, str]:
    """The command that runs a snippet of the page against a server in place of the page's own."""
    return "sh", "-uc", script.replace(_URL, server.url)


def transport(server: Server, name: str = "", **options: str) -> dict[str, str]:
    """The variables of an HTTP transport that tries once, so that an answer of 4xx or 5xx is an error."""
    prefix = "OPENLINEAGE__TRANSPORT__" + (f"TRANSPORTS__{name.upper()}__" if name else "")
    chosen = {"type": "http", "url": server.url, "retry": '{"total": 0}', **options}
    return {f"{prefix}{option.upper()}": value for option, value in chosen.items()}


def copied(server: Server, copy: Path) -> dict[str, str]:
    """The variables with which a client appends each event to a file, then sends it to the server.

    The client takes its transports in the reverse order of their names, so what the server refuses is in the file.
    """
    base, file = "OPENLINEAGE__TRANSPORT__", "OPENLINEAGE__TRANSPORT__TRANSPORTS__FILE__"
    return {
        f"{base}TYPE": "composite",
        f"{base}CONTINUE_ON_FAILURE": "false",
        **transport(server, "default_http"),  # the name under which the client puts OPENLINEAGE_URL
        f"{file}TYPE": "file",
        f"{file}LOG_FILE_PATH": str(copy),
        f"{file}APPEND": "true",
    }


def assert_kept(server: Server, sent: list[bytes]) -> None:
    """The ledger holds these payloads, byte for byte, and no others: each is known when it comes again."""
    receipts = [server.post(line) for line in sent]
    assert {receipt.status_code for receipt in receipts} == {200}
    assert all(receipt.json()["duplicate"] for receipt in receipts)
    assert sorted(receipt.json()["index"] for receipt in receipts) == list(range(1, len(sent) + 1))
    assert server.http.get("/health").json()["entries"] == len(sent) + 1  # and the ledger's first, its genesis


def liberties(sent: list[bytes]) -> set[tuple[str, Liberty]]:
    """What had to be overlooked or assumed in events, each with the name of its job."""
    events = [json.loads(line) for line in sent]
    return {(event["job"]["name"], each) for event in events for each in map_event(event, base=BASE).liberties}
