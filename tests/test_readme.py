"""The five minutes of the README, run as they are written, against the examples."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, serving
from tests.suites import ROOT

_README = (ROOT / "README.md").read_text()
_WANTED = {
    "provstore lineage": ["model/premium-1", "demographics-api", "s3%3A%2F%2Fbank-raw/transactions", "declared source"],
    "provstore impact": ["model/premium-1", "affected", "not affected", "possibly affected"],
    "audit/gaps": ["read of unknown origin", "failed: output announced, not generated"],
    "provstore sparql": ["model/premium-1"],
    "ledger/checkpoint": ["VERIFIED", "UNWITNESSED"],
    "/records": ['"index":'],
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("demo") / "data", verb="demo") as server:
        yield server


def _blocks() -> list[str]:
    tour = _README[_README.index("## Five minutes") : _README.index("## What to know")]
    return re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)


def test_every_step_is_looked_at() -> None:
    assert len(_blocks()) == len(_WANTED)


@pytest.mark.parametrize("step", _WANTED)
def test_the_tour(step: str, demo: Server, tmp_path: Path) -> None:
    (block,) = [block for block in _blocks() if step in block and "make run" not in block]
    script = block.replace("http://127.0.0.1:8000", demo.url).replace(".run-data", str(demo.directory))
    program = tmp_path / "provstore"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provstore "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    line = ["sh", "-eu", "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    for text in _WANTED[step]:
        assert text in done.stdout, (text, done.stdout)


def test_the_correction_in_the_examples_corrects(demo: Server) -> None:
    rows = demo.rows(
        "PREFIX ps: <https://w3id.org/provstore/ns#> SELECT ?old ?rate { ?new ps:supersedes ?old ."
        " ?new ps:about <https://prov.example/run/T1> . ?old ps:supersededBy ?new ; ps:ledgerIndex ?i ."
        " <https://prov.example/run/T1> ps:parameter ?p . ?p ps:value ?rate }"
    )
    assert [row["rate"] for row in rows] == ["0.05"]


def test_the_examples_conform(demo: Server) -> None:
    until = time.monotonic() + 60
    while (validation := demo.http.get("/health").json()["validation"])["waiting"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert validation["violating"] == validation["failed"] == 0
