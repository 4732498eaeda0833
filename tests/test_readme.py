"""The tour of the README, run as it is written, against the examples."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.servers import Server, serving
from tests.suites import ROOT
from tests.walking import ADDRESS, steps, walk

README = ROOT / "README.md"


def test_the_tour(tmp_path: Path) -> None:
    with serving(tmp_path / "data", verb="demo") as server:
        assert walk(README, server, tmp_path) == 9


def test_each_question_of_the_tour_shows_its_answer() -> None:
    asking = [step for step in steps(README.read_text()) if "export PROVSTORE_DATA" not in step.script]
    assert [step.script for step in asking if not step.shown] == []


def test_the_addresses_of_the_tour_answer(demo: Server) -> None:
    """As pages, and behind each its twin for programs."""
    pages = re.findall(rf"\({ADDRESS}(/[^)]*)\)", README.read_text())
    assert len(pages) >= 4
    for page in pages:
        for accept in ("text/html", "application/json"):
            answer = demo.http.get(page, headers={"accept": accept})
            assert answer.status_code == 200, page
            assert answer.headers["content-type"].startswith(accept), page


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
