"""What the MLflow plugin costs a program: its start, each file it opens, and the digests at the end of a run."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from provstore.observe.hashing import Hasher

_CLIENT = Path(__file__).parents[1] / "clients" / "mlflow"
_ROUNDS, _FILES = 15, 500
_MEASURED = """
import json, os, sys, time
def best(call):
    found = 9.0
    for _ in range(15):
        begun = time.process_time()
        call()
        found = min(found, time.process_time() - begun)
    return found
def opened(names):
    for name in names:
        open(name, "rb").close()
data = [f"{n}.csv" for n in range(int(sys.argv[1]))]
code = [f"{n}.py" for n in range(int(sys.argv[1]))]
def audited():
    for _ in range(10_000):
        sys.audit("of somebody else")
print(json.dumps([best(lambda: opened(data)), best(lambda: opened(code)), best(audited)]))
"""


def main() -> None:
    """Print ratios of the same things with the plugin and without, alternating; best of many rounds, CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_FILES):
            for suffix in ("csv", "py"):
                Path(folder, f"{number}.{suffix}").write_text("x")
        on, off = _best(Path(folder), "import provstore_mlflow.hook"), _best(Path(folder), "pass")
        print("| a program | without | with | ratio |")
        print("| --- | --- | --- | --- |")
        units = (
            ("starts", 1, "ms", 1e3),
            ("opens a file of data", _FILES, "µs", 1e6),
            ("opens a file of code", _FILES, "µs", 1e6),
            ("does something else that is audited", 10_000, "µs", 1e6),
        )
        for (what, times, unit, factor), ours, theirs in zip(units, on, off, strict=True):
            each = (f"{seconds / times * factor:,.2f} {unit}" for seconds in (theirs, ours))
            print(f"| {what} | {' | '.join(each)} | {ours / theirs:.2f} |")
        ours, theirs = _digests(Path(folder, "large"))
    rate = 256 / ours
    print(f"\nSHA-256 and MD5 of a file take {ours / theirs:.2f} times as long as SHA-256 alone ({rate:,.0f} MB/s).")


def _best(folder: Path, before: str) -> list[float]:
    """Seconds: of a start, and of what `_MEASURED` measures."""
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_CLIENT)}
    starts = []
    for _ in range(_ROUNDS):
        begun = _children()
        subprocess.run([sys.executable, "-c", before], env=env, check=True)
        starts.append(_children() - begun)
    line = [sys.executable, "-c", f"{before}\n{_MEASURED}", str(_FILES)]
    said = subprocess.run(line, env=env, cwd=folder, check=True, capture_output=True)
    return [min(starts), *json.loads(said.stdout)]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _digests(path: Path) -> tuple[float, float]:
    path.write_bytes(os.urandom(1 << 20) * 256)
    ours, theirs = 9.0, 9.0
    for _ in range(3):
        begun = time.process_time()
        Hasher().file(path)
        ours = min(ours, time.process_time() - begun)
        begun = time.process_time()
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        theirs = min(theirs, time.process_time() - begun)
    return ours, theirs


if __name__ == "__main__":
    main()
