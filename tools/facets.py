"""`docs/facets.md`, from the registry of facets: `make docs` writes it, a test holds it to the code."""

from __future__ import annotations

from collections.abc import Iterable

from provstore.capture.facets.leaves import LONGEST, MOST
from provstore.capture.facets.registry import ALIASES, BASE, BASE_RECORD, FACETS, Facet
from tools.reference import ROOT

PAGE = ROOT / "docs" / "facets.md"


def page() -> str:
    """The whole page."""
    parts = [
        _HEAD,
        _table(("facets", "of", "say"), _SAID),
        _AFTER,
        _QUESTIONS,
        _VALUES,
        _rows("Every facet", BASE, BASE_RECORD),
    ]
    parts += [_facet(key, facet) for key, facet in sorted(FACETS.items(), key=lambda each: each[0].lower())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_HEAD = """
# Facets

Made from the code by `make docs`; change the code, not this page.

An OpenLineage facet becomes a content graph, named by the hash of its JSON and stored once however often it is sent.
What the tables below name stands there, without a word of whose it is. The record says that: a `ps:FacetAssertion`
with `ps:on` (a run, job, dataset, state, usage or generation), `ps:key` and `ps:content`. What is in force of it now is
said of the subject itself, in the merged graph:
"""

#: Facets, what they are of, and what is said of it.
_SAID = (
    ("documentation, schema", "datasets, jobs, runs, written states", "dct:description, dct:conformsTo"),
    ("ownership", "datasets, jobs, runs, states", "prov:wasAttributedTo"),
    ("tags, datasetType", "datasets, jobs, runs, states", "dcat:keyword, schema:additionalProperty, ps:datasetType"),
    ("dataQualityMetrics", "datasets, states", "a measurement is dqv:computedOn it"),
    ("dataQualityAssertions, test", "datasets, states, runs", "an assertion has it as earl:subject"),
    ("inputStatistics", "the qualified usage", "ps:rowCount, ps:byteSize, ps:fileCount"),
    ("outputStatistics", "the qualified generation", "ps:rowCount, ps:byteSize, ps:fileCount"),
    ("subset, icebergScanReport", "the qualified usage or generation", "ps:filter, ps:partition, dcat:downloadURL"),
    ("icebergCommitReport", "the qualified generation", "ps:operation"),
    ("icebergScanReport, icebergCommitReport", "the state", "dcat:version, the snapshot"),
    ("processing_engine", "runs", "prov:wasAssociatedWith the engine"),
    ("jobDependencies, lineage", "runs, jobs", "prov:wasInformedBy, pplan:isPrecededBy what came before"),
    ("executionParameters, externalQuery", "runs", "ps:parameter, dct:identifier"),
    ("extractionError", "runs", "ps:failedTasks, ps:totalTasks"),
    ("nominalTime, errorMessage", "runs", "ps:nominalStart, ps:nominalEnd; ps:message of their end"),
)
_AFTER = """
A content says the same of itself, so a question names the class it is about: `?run a ps:Run ; ps:failedTasks ?n`.
Of a malformed facet there are only its JSON, its values, its producer and its schema; the receipt tells why.
"""

_QUESTIONS = """
## Questions

```sparql
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX ps: <https://w3id.org/provstore/ns#>
PREFIX schema: <https://schema.org/>
```

Which states failed a quality test?

```sparql
SELECT ?state ?column {
  ?test earl:subject ?state ; earl:result/earl:outcome earl:failed OPTIONAL { ?test ps:column ?column } }
```

The null rate of a column over time:

```sparql
SELECT ?time (?nulls / ?rows AS ?rate) {
  ?state prov:specializationOf <DATASET> ; prov:generatedAtTime ?time .
  ?m dqv:computedOn ?state ; dqv:isMeasurementOf ps:NullCount ; ps:column "age" ; dqv:value ?nulls .
  ?n dqv:computedOn ?state ; dqv:isMeasurementOf ps:RowCount ; dqv:value ?rows }
```

How many rows did this run write, and read?

```sparql
SELECT ?state ?rows {
  { ?state prov:wasGeneratedBy <RUN> ; prov:qualifiedGeneration/ps:rowCount ?rows }
  UNION { <RUN> prov:qualifiedUsage ?usage . ?usage prov:entity ?state ; ps:rowCount ?rows } }
```

Which engine, in which version, ran this?

```sparql
SELECT ?name ?version {
  <RUN> prov:wasAssociatedWith ?engine . ?engine schema:name ?name ; schema:softwareVersion ?version }
```

Who owns this dataset, or a state of it?

```sparql
SELECT ?what ?owner { ?what prov:specializationOf? <DATASET> ; prov:wasAttributedTo ?owner }
```
"""

_VALUES = f"""
## Values

Each value inside each facet has an address, its content and JSON pointer (RFC 6901):
`<content#/tags/0/key> rdf:value "pii"`. Strings, whole numbers, other numbers and booleans are XSD literals, and null,
`[]` and `{{}}` are `rdf:JSON` literals. The canned query [catalogue/facet_values](reference.md#cataloguefacet_values)
gives them all, with subject and record.

The facets below have all their values there. Any other facet has its first {MOST} values, the least deep first, and
none above {LONGEST:,} characters; `ps:omitted` counts the others, which stand in `ps:json`, as everything does.
Nothing of the facets below stays in the JSON alone.
"""


def _rows(title: str, says: dict[str, str], record: dict[str, str], about: str = "") -> str:
    lines = [f"## {title}", about] if about else [f"## {title}"]
    rows = [(f"`{pointer}`", _terms(terms)) for pointer, terms in says.items()]
    rows += [(f"`{pointer}`", f"{_terms(terms)} (in the record)") for pointer, terms in record.items()]
    return "\n\n".join([*lines, _table(("property", "becomes"), rows)])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _terms(terms: str) -> str:
    return ", ".join(f"`{term}`" for term in terms.split())


def _facet(key: str, facet: Facet) -> str:
    others = [alias for alias, meant in ALIASES.items() if meant == key]
    also = f" Also sent as {_listed(others)}." if others else ""
    return _rows(key, facet.says, facet.record, f"Schema version {facet.spec}.{also}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
