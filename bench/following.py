"""A capture that follows MLflow through many runs and is killed again and again, against one fresh import of the end.

`python -m bench.following [RUNS]` (1,000 unless told otherwise).

It ends with an error where the two say different things.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.mlflows import mlflow
from tests.test_mlflow_capture import capture, churned, said


def main(runs: int = 1000) -> None:
    with tempfile.TemporaryDirectory(prefix="provstore-bench-") as folder, mlflow(Path(folder) / "mlflow") as server:
        home = Path(folder)
        begun = time.monotonic()
        killed = churned(server, home, runs=runs, kills=max(1, runs // 50), seed=runs)
        followed = time.monotonic() - begun
        begun = time.monotonic()
        fresh = capture(server.url, home / "fresh")
        imported = time.monotonic() - begun
        live, once = said(home / "live"), said(home / "fresh")
        assert live == once, [*sorted(live - once)[:5], "---", *sorted(once - live)[:5]]
    print("| runs | killed | statements, equal in both | states, imported at once | following : one import |")
    print("| --- | --- | --- | --- | --- |")
    print(f"| {runs:,} | {killed} | {len(live):,} | {fresh['new']:,} | {followed / imported:.1f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
