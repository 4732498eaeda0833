"""What the tests of the pages for asking share: a store with names of every sort, and what no page may do with them."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser import Watched
from tests.servers import Server, event

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
LONG = "quarterly_revenue_by_region_" * 11  # 308 characters
RTL = "מאגר נתונים الإيرادات"
#: Things whose IRIs a careless page would make links of.
DANGEROUS = """
@prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<javascript:document.title='taken'> a prov:Entity ; rdfs:label "hostile scheme" .
<data:text/html,taken> a prov:Entity ; rdfs:label "hostile data" .
<https://elsewhere.example/thing> a prov:Entity ; rdfs:label "hostile elsewhere" ;
    prov:wasDerivedFrom <javascript:document.title='taken'> .
"""


def fill(server: Server) -> int:
    """Put names of every sort into a store; the ledger index that has them all."""
    names = [SCRIPT, LONG, RTL, "name with 'quotes' & \"more\"", "ordinary_name"]
    for number, name in enumerate(names):
        server.post(
            event(
                number,
                inputs=[{"namespace": "hostile", "name": name}],
                job={"namespace": "hostile", "name": f"job of {name}"},
            )
        )
    answer = server.rdf(DANGEROUS)
    assert answer.status_code == 201, answer.text
    index = int(answer.json()["index"])
    assert server.sparql("ASK {}", min_index=index).status_code == 200
    assert server.http.get("/search", params={"min-index": index}).status_code == 200
    return index


def assert_harmless(page: Page, server: Server) -> None:
    """No script of a name has run, no link leaves the server, nothing is wider than the page."""
    assert page.title() != "taken"
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("img").count() == 0
    links = page.eval_on_selector_all("a[href]", "found => found.map(a => a.protocol + '//' + a.host)")
    assert set(links) == {server.url}
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def refused(seen: Watched, status: int) -> None:
    """Take the browser's own word on the page's status out of what went wrong: the test wanted it."""
    told = [fault for fault in seen.faults if f" {status} " in fault or fault.startswith(f"{status}: ")]
    assert told
    seen.faults = [fault for fault in seen.faults if fault not in told]
