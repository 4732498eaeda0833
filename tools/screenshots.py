"""A picture of every page, light and dark, wide and as on a telephone: `make screenshots`.

They go to `.screenshots/`, to be held against docs/pages.md by eye; the first screen of what the README shows goes to
`docs/` as well. Named shots are taken alone: `python -m tools.screenshots home lineage`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page

from tests.browser import launched, watched
from tests.servers import BASE, Server, serving

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".screenshots"
#: What the README shows.
SHOWN = {"lineage", "record"}


@dataclass(frozen=True, slots=True)
class Shot:
    """One page: its path, and the name of a button to press first."""

    name: str
    path: str
    press: str = ""


def shots(server: Server) -> Iterator[Shot]:
    """Every page, each with a good example of the worked store."""

    def about(name: str, iri: str) -> Shot:
        return Shot(name, f"/entity?iri={quote(iri, safe='')}")

    prediction = f"{BASE}/prediction/1"
    table = f"{BASE}/dataset/{quote('warehouse://bank', safe='')}/customer_risk_score"
    yield Shot("home", "/")
    yield Shot("search", "/search?q=risk")
    yield Shot("search-nothing", "/search?q=zzzzzz")
    yield about("dataset", table)
    yield Shot("column", f"/entity?iri={quote(table, safe='')}&column=risk_score")
    states = "SELECT ?s { ?s a <https://w3id.org/provstore/ns#WriteState> } ORDER BY DESC(?s)"
    yield about("state", next(row["s"] for row in server.rows(states) if row["s"].startswith(table)))
    runs = "SELECT ?r { ?r a <https://w3id.org/provstore/ns#Run> ; <https://w3id.org/provstore/ns#job> ?j } LIMIT 1"
    yield about("run", server.rows(runs)[0]["r"])
    yield about("training", f"{BASE}/run/T2")
    yield about("job", f"{BASE}/job/airflow/risk.checks")
    yield about("model", f"{BASE}/model/premium")
    yield about("model-version", f"{BASE}/model/premium-1")
    yield about("prediction", prediction)
    yield about("item", f"{BASE}/item/app-1")
    yield about("agent", f"{BASE}/agent/person/ana")
    yield Shot("unknown", "/entity?iri=urn:nothing")
    yield Shot("lineage", f"/lineage?entity={quote(prediction, safe='')}")
    yield Shot("lineage-columns", f"/lineage?entity={quote(table, safe='')}&level=column")
    yield Shot("impact", "/impact?entity=demographics-api&after=2026-03-06&before=2026-03-10")
    edges = server.http.get("/lineage", params={"entity": prediction}).json()["edges"]
    record = next(edge["record"] for edge in edges if edge["status"] == "asserted")
    yield Shot("record", f"/records/{record.rpartition('/')[2]}", press="Verify")
    yield Shot("ledger", "/ledger")
    yield Shot("validation", "/validation")
    yield Shot("profiles", "/shapes")
    yield Shot("profile", "/shapes/sr-26-2")
    yield Shot("clauses", "/clauses/eu-ai-act")
    yield Shot("questions", "/queries")
    yield Shot("question", "/queries/audit/gaps")
    yield Shot("sparql", "/sparql?query=" + quote("SELECT ?s ?o { ?s <http://www.w3.org/ns/prov#used> ?o } LIMIT 20"))
    yield Shot("vocabulary", "/ns")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home) / "data", verb="demo") as server,
        launched() as browser,
    ):
        _settled(server)
        for shot in shots(server):
            if len(sys.argv) > 1 and shot.name not in sys.argv[1:]:
                continue
            for dark in (False, True):
                _taken(browser, server, shot, dark=dark, width=1280)
            _taken(browser, server, shot, dark=False, width=400)


def _settled(server: Server) -> None:
    """Wait until every record has been validated, as it has for a visitor who does not come in the first minute."""
    while server.http.get("/health").json()["validation"]["waiting"]:
        time.sleep(0.2)


def _taken(browser: Browser, server: Server, shot: Shot, *, dark: bool, width: int) -> None:
    scheme = "phone" if width < 1000 else "dark" if dark else "light"
    with watched(browser, server.url, dark=dark, width=width) as seen:
        page: Page = seen.page
        page.goto(server.url + shot.path, wait_until="networkidle")
        if shot.name == "unknown":
            seen.faults.clear()  # that the server said 404
        if shot.press:
            page.get_by_role("button", name=shot.press).first.click()
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)
        page.screenshot(path=FOLDER / f"{shot.name}-{scheme}.png", full_page=True)
        if shot.name in SHOWN and scheme != "phone" and len(sys.argv) == 1:
            page.screenshot(path=ROOT / "docs" / f"{shot.name}-{scheme}.png")
        print(f"{shot.name}-{scheme}.png")


if __name__ == "__main__":
    main()
