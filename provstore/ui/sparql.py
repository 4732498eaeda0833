"""The SPARQL page: a query in an editor, its answer as a table, and what is wrong with it, where."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response

from provstore import queries
from provstore.core.service import Service
from provstore.errors import ProvStoreError, QueryTooExpensive
from provstore.store import guard
from provstore.ui import render
from provstore.ui.answers import taken
from provstore.ui.questions import TOPICS, shown

#: What stands in the editor before anything was asked.
FIRST = """\
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX ps: <https://w3id.org/provstore/ns#>

SELECT ?run ?input WHERE {
  ?run prov:used ?input .
}
LIMIT 20
"""
#: The longest query that the page links to; longer ones are posted, and their answers have no address.
MOST_IN_ADDRESS = 6000
_PLACE = re.compile(r"\bat (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
_SENTENCE = re.compile(r"(?:^|, )([A-Z][\w ]*\b[a-z]+(?: [\w]+)+)(?=, |$)")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)+)\"|\b([A-Z]{2,})\b")
_UNREAD = "This is read as SPARQL up to here, and not further."
_SELECTS = {"csv": "csv", "tsv": "tsv", "json": "json", "xml": "xml"}
_GRAPHS = {"turtle": "ttl", "nt": "nt", "jsonld": "jsonld", "xml": "rdf"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as the page was asked for it, and the parameters of the protocol beside it."""

    query: str
    min_index: int | None = None
    timeout: float | None = None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()

    def address(self, form: str = "") -> str:
        """The address of the same question, or of its answer in a form."""
        pairs = [("query", self.query), *(("default-graph-uri", each) for each in self.default_graphs)]
        pairs += [("named-graph-uri", each) for each in self.named_graphs]
        if self.timeout is not None:
            pairs.append(("timeout", f"{self.timeout:g}"))
        return f"/sparql?{urlencode([*pairs, *([('format', form)] if form else [])], errors='replace')}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer: `said` in words, `hint` what to do; place and text of the line where there is one."""

    status: int
    title: str
    said: str
    hint: str = ""
    line: int = 0
    column: int = 0
    before: str = ""
    after: str = ""


def editor(service: Service, example: str = "") -> Response:
    """The editor before anything was asked, with a canned query in it where one is named."""
    return _page(service, Asked(_text_of(example) if example else FIRST), {"form": ""})


async def answered(service: Service, asked: Asked) -> Response:
    """The editor with a query, and its answer or what is wrong with it; the status is that of the error."""
    begun = time.monotonic()
    try:
        form = guard.check(asked.query)
        graph = form in ("CONSTRUCT", "DESCRIBE")
        answer = await service.sparql(
            asked.query,
            "application/n-triples" if graph else "text/tab-separated-values",
            min_index=asked.min_index,
            timeout=asked.timeout,
            default_graphs=asked.default_graphs,
            named_graphs=asked.named_graphs,
        )
    except ProvStoreError as error:
        return _page(
            service, asked, {"form": "", "fault": await _placed(service, fault(error, asked.query), asked.query)}
        )
    if form == "ASK":
        said = {"yes": answer.body.strip() == b"true", "index": answer.index}
    else:
        said = await shown(service, await asyncio.to_thread(taken, answer, graph=graph), answer.index, begun)
    return _page(service, asked, {"form": form, "graph": graph, **said})


def _page(service: Service, asked: Asked, said: dict[str, Any]) -> Response:
    short = len(asked.query) <= MOST_IN_ADDRESS * 5  # beyond, no server takes the address
    forms = _GRAPHS if said.get("graph") else {} if said["form"] == "ASK" else _SELECTS
    found: Fault | None = said.get("fault")
    downloads = (
        {form: (asked.address(form), ending) for form, ending in forms.items()} if said["form"] and short else {}
    )
    return render.page(
        "sparql.html",
        alternates={"application/json": asked.address("json")} if said["form"] and short else {},
        status=found.status if found else 200,
        query=asked.query,
        asked_of=asked,
        link=asked.address() if said["form"] and short else "",
        downloads=downloads,
        examples=_examples(),
        most_in_address=MOST_IN_ADDRESS,
        seconds=service.settings.query_timeout_seconds,
        megabytes=service.settings.query_max_result_bytes >> 20,
        **{"table": None, "fault": None, "yes": None, "graph": False, **said},
    )


def _text_of(example: str) -> str:
    """A canned query with the examples of its parameters in it; NotFound where there is none of the name."""
    query = queries.find(example)
    head = "".join(f"# {line}\n" for line in (query.summary, f"provstore query {query.name}"))
    return head + queries.bind(query, {each.name: each.example for each in query.parameters if each.required})


def _examples() -> list[tuple[str, list[queries.CannedQuery]]]:
    held: dict[str, list[queries.CannedQuery]] = {name: [] for name in TOPICS}
    for query in queries.catalogue().values():
        held.setdefault(query.name.partition("/")[0], []).append(query)
    return [(TOPICS.get(name, (name,))[0], found) for name, found in held.items() if found]


# --- what is wrong ---------------------------------------------------------------------------------------------------


def fault(error: ProvStoreError, query: str) -> Fault:
    """An error in words for people, at its place in the query."""
    if isinstance(error, QueryTooExpensive):
        hint = (
            "Nothing is left running. Ask for less: a LIMIT, a named thing in place of a variable, fewer unbound"
            " patterns. Paths over everything are what /lineage and /impact answer at once."
        )
        return Fault(error.status, "Too expensive", error.detail, hint)
    found = _PLACE.search(error.detail)
    if not found:
        line = error.line or 0
        return Fault(error.status, error.title, error.detail, "", line, 0, *_around(query, line, 0))
    line, column = int(found[1]), int(found[2])
    said, hint = _explained(found[3])
    return Fault(error.status, "Not SPARQL", said, hint, line, column, *_around(query, line, column))


async def _placed(service: Service, found: Fault, query: str) -> Fault:
    """The fault at its own place: the engine names the farthest that it looked, which may be the end of the text."""
    if found.said != _UNREAD:
        return found
    place = await service.place(query)
    if place is None:
        at_end = not found.after.strip() and found.line > query.strip().count("\n")
        said = "This is not SPARQL, and where it stops being so is not known."
        return replace(found, line=0, column=0, said=said) if at_end and not found.hint else found
    line = query.count("\n", 0, place.offset) + 1
    column = place.offset - query.rfind("\n", 0, place.offset)
    before, after = _around(query, line, column)
    hint = f"{place.missing} is missing at the end." if place.missing else ""
    return replace(found, line=line, column=column, before=before, after=after, hint=hint)


def _explained(expected: str) -> tuple[str, str]:
    """What the engine wanted, in words: its own sentence where it has one, else the signs and words it would take."""
    plain = re.sub(r"\[.*?\](?=, |$)", "", expected.replace("\n", " "))
    sentences = [each for each in _SENTENCE.findall(plain) if not each.isupper()]
    if "Prefix not found" in sentences:
        return "A prefix is used that no PREFIX line declares.", "“Add prefixes” adds those that are well known here."
    if sentences:
        return f"{sentences[0]}.", ""
    wanted = [one or other for one, other in _QUOTED.findall(plain)]
    if len(wanted) > 1:
        return _UNREAD, f"It could go on with: {'  '.join(wanted)}"
    return _UNREAD, ""


def _around(query: str, line: int, column: int) -> tuple[str, str]:
    """The line before and after a place, cut to what fits beside a message."""
    lines = query.split("\n")
    if not 1 <= line <= len(lines):
        return "", ""
    text, at = lines[line - 1].rstrip("\r"), max(column - 1, 0)
    return text[max(at - 60, 0) : at], text[at : at + 60]
