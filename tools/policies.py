"""`docs/policies.md`, from the profiles of laws and the clauses they cite: `make docs` writes it, a test holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import pyoxigraph as ox

from provstore.validation.clauses import HOME, Law, clauses
from provstore.validation.profiles import HOME as SHAPES
from provstore.validation.profiles import Registry, Version
from provstore.validation.results import OF_SHACL
from tools.reference import ROOT

PAGE = ROOT / "docs" / "policies.md"
_SH, _DCT = "http://www.w3.org/ns/shacl#", "http://purl.org/dc/terms/"
_READ = {"OfficialText": "official text", "Reproduction": "reproduction", "Unread": "not read"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a profile as the page tells it: name, MUST, SHOULD or MAY, and the clause that it is from."""

    name: str
    severity: str
    clause: str


def policies() -> list[Version]:
    """The newest version of each profile that cites clauses, by name."""
    return [version for version in Registry().newest() if any(_rules(version))]


def rules(version: Version) -> list[Rule]:
    """The rules of a profile that cite clauses, in the order of its file."""
    return list(_rules(version))


def page() -> str:
    """The whole page."""
    parts = [_HEAD, *(part for version in policies() for part in _policy(version))]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_HEAD = """
# Policies

Made from the profiles in [`shapes/`](../shapes) and the clauses in [`ontology/clauses/`](../ontology/clauses) by
`make docs`; change those, not this page.

These profiles hold records against laws, standards and guidance; each rule cites the clause that it comes from. **A
shape can show that a field is there. It cannot show that what stands in it is true, that it is enough, or that a duty
is met; and it says nothing of duties that leave no trace in provenance.** No answer of theirs means that anybody keeps
the law, and nothing here is legal advice.

```sh
provstore validate --profile gdpr examples/credit
```

finds what a file lacks; the [setting](reference.md#settings) `profiles`, with `gdpr:annotate` in it for instance, holds
every record that comes in against one. What a policy asks of a thing is often said in more than one record: a record by
itself may lack what the store has.

A clause has an IRI, `https://w3id.org/provstore/clause/…`, and is told in our own words, with where the text stands,
since when it applies, and how what we tell of it was established (`ps:textStatus`): from the *official text*, from a
*reproduction* (somebody else repeats or sums it up; not compared with the official one), or *not read* (general
knowledge). Before anything depends on a clause, read its text.
"""


# --- one profile -----------------------------------------------------------------------------------------------------


def _policy(version: Version) -> Iterator[str]:
    graph = _graph(version.read())
    mine = rules(version)
    cited = {rule.clause for rule in mine}
    laws = sorted({clauses()[iri].law for iri in cited}, key=lambda law: (law.iri != HOME + version.name, law.iri))
    counts = {word: sum(rule.severity == word for rule in mine) for word in OF_SHACL.values()}
    yield f"## {version.name}"
    yield f"**{_one(graph, version.iri, _DCT + 'title')}**, version {version.number}, {_told(counts)}."
    yield _one(graph, version.iri, _DCT + "description")
    for law in laws:
        yield from _law(law, mine)


def _law(law: Law, mine: list[Rule]) -> Iterator[str]:
    yield f"### {law.title}"
    yield f"{law.name}: {law.version}. {' · '.join(f'<{each}>' for each in law.sources)}"
    yield _table(("from", "applies"), law.applies)
    of_law = [clause for clause in clauses().values() if clause.law == law]
    by_clause = {clause: list(found) for clause, found in groupby(sorted(mine, key=_clause_of), key=_clause_of)}
    yield _table(
        ("clause", "asks, in short", "rules", "told from"),
        (
            (clause.name, clause.asks, _names(by_clause[clause.iri]), _READ[clause.read])
            for clause in of_law
            if clause.iri in by_clause
        ),
    )
    left = [clause for clause in of_law if clause.why_not]
    if left:
        yield "Not checked, and why:"
        yield _table(
            ("clause", "asks, in short", "why no shape checks it", "told from"),
            ((clause.name, clause.asks, clause.why_not, _READ[clause.read]) for clause in left),
        )


def _clause_of(rule: Rule) -> str:
    return rule.clause


def _names(found: Iterable[Rule]) -> str:
    return ", ".join(f"`{rule.name}` {rule.severity}" for rule in found)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


# --- reading ---------------------------------------------------------------------------------------------------------


def _rules(version: Version) -> Iterator[Rule]:
    graph = _graph(version.read())
    for quad in ox.parse(version.read(), format=ox.RdfFormat.TURTLE):
        if quad.predicate.value == _DCT + "source" and isinstance(quad.object, ox.NamedNode):
            iri, shape = quad.object.value, quad.subject
            if iri.startswith(HOME) and isinstance(shape, ox.NamedNode):
                severity = _one(graph, shape, _SH + "severity").removeprefix(_SH)
                yield Rule(shape.value.removeprefix(f"{SHAPES}/{version.name}#"), OF_SHACL[severity], iri)


def _graph(turtle: bytes) -> ox.Store:
    graph = ox.Store()
    graph.load(turtle, format=ox.RdfFormat.TURTLE)
    return graph


def _one(graph: ox.Store, subject: str | ox.NamedNode, predicate: str) -> str:
    node = ox.NamedNode(subject) if isinstance(subject, str) else subject
    found = [quad.object for quad in graph.quads_for_pattern(node, ox.NamedNode(predicate), None)]
    return next((each.value for each in found if isinstance(each, ox.NamedNode | ox.Literal)), "")


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
