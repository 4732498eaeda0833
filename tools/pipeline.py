"""The credit-risk pipeline run for real, and what came of it; `--record` keeps its payloads as the example.

`python -m tools.pipeline [DIRECTORY]` makes the environment of tools (beside `.venv`, once) and runs
`examples/credit-risk/run.py`. The payloads in `examples/credit-risk/payloads` were recorded in /srv/credit-risk.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from provstore.capture import formats
from provstore.core import ProvStore
from tests.environments import programs
from tests.suites import ROOT

EXAMPLE = ROOT / "examples" / "credit-risk"
PAYLOADS = EXAMPLE / "payloads"


def run(directory: Path) -> Path:
    """Run the pipeline in a directory, which is made anew; the directory of the store that it leaves."""
    line = [sys.executable, EXAMPLE / "run.py", "--tools", programs("pipeline"), "--directory", directory]
    done = subprocess.run([str(part) for part in line], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return directory / "store"


def payloads(store: Path) -> dict[str, bytes]:
    """Name of a file → the payloads of a store that it holds, as they were received, in the ledger's order."""
    found: dict[str, list[bytes]] = {}
    with closing(ProvStore(store)) as opened:
        for body in opened.ledger.bodies(1, opened.ledger.head):
            form = formats.of_media_type(body.media_type) or formats.OPENLINEAGE
            name = "about.ttl" if "turtle" in body.media_type else f"{form.name}.ndjson"
            found.setdefault(name, []).append(body.payload.rstrip(b"\n") + b"\n")
    return {name: b"".join(each) for name, each in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / ".example")
    parser.add_argument("--record", action="store_true", help="keep the payloads in examples/credit-risk/payloads")
    arguments = parser.parse_args()
    store = run(arguments.directory)
    if arguments.record:
        PAYLOADS.mkdir(exist_ok=True)
        for old in PAYLOADS.iterdir():
            old.unlink()
        for name, body in payloads(store).items():
            (PAYLOADS / name).write_bytes(body)


if __name__ == "__main__":
    main()
