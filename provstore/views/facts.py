"""From a record's canonical N-Quads to the facts that decide the merged and inferred graphs.

Taken from the quads, not from adapters, so that a record of any origin that speaks the vocabulary counts the same
and a rebuild by newer code starts from the same text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from provstore import iris, rdf, times
from provstore.views.edges import COLUMN_FACETS, Edge, Relation, edges_of
from provstore.views.items import take_items
from provstore.views.texts import texts_of
from provstore.vocab import DCT, PROV, PS, RDF_TYPE

_RANK = {"START": 0, "RUNNING": 1, "OTHER": 1, "COMPLETE": 2, "FAIL": 2, "ABORT": 2}
_KINDS = {PS[name]: name for name in _RANK}
#: Sub-properties (PROV-O §3.1–3.3) of relations that paths are written with; the others are their own.
_INFLUENCES = {
    PROV.wasRevisionOf: PROV.wasDerivedFrom,
    PROV.wasQuotedFrom: PROV.wasDerivedFrom,
    PROV.hadPrimarySource: PROV.wasDerivedFrom,
}
#: Inverses (PROV-O appendix B).
_INVERSES = {
    PROV.generated: PROV.wasGeneratedBy,
    PROV.invalidated: PROV.wasInvalidatedBy,
    PROV.hadDerivation: PROV.wasDerivedFrom,
    PROV.hadRevision: PROV.wasRevisionOf,
    PROV.quotedAs: PROV.wasQuotedFrom,
    PROV.wasPrimarySourceOf: PROV.hadPrimarySource,
    PROV.wasUsedBy: PROV.used,
    PROV.wasAssociateFor: PROV.wasAssociatedWith,
    PROV.contributed: PROV.wasAttributedTo,
    PROV.hadDelegate: PROV.actedOnBehalfOf,
    PROV.informed: PROV.wasInformedBy,
    PROV.started: PROV.wasStartedBy,
    PROV.ended: PROV.wasEndedBy,
    PROV.influenced: PROV.wasInfluencedBy,
    PROV.generalizationOf: PROV.specializationOf,
    PROV.wasMemberOf: PROV.hadMember,
}
#: Qualified form (PROV-O §3.3): property → (property of the qualified node that holds the object, plain property).
_QUALIFIED = {
    PROV.qualifiedUsage: (PROV.entity, PROV.used),
    PROV.qualifiedGeneration: (PROV.activity, PROV.wasGeneratedBy),
    PROV.qualifiedInvalidation: (PROV.activity, PROV.wasInvalidatedBy),
    PROV.qualifiedDerivation: (PROV.entity, PROV.wasDerivedFrom),
    PROV.qualifiedRevision: (PROV.entity, PROV.wasRevisionOf),
    PROV.qualifiedQuotation: (PROV.entity, PROV.wasQuotedFrom),
    PROV.qualifiedPrimarySource: (PROV.entity, PROV.hadPrimarySource),
    PROV.qualifiedAssociation: (PROV.agent, PROV.wasAssociatedWith),
    PROV.qualifiedAttribution: (PROV.agent, PROV.wasAttributedTo),
    PROV.qualifiedDelegation: (PROV.agent, PROV.actedOnBehalfOf),
    PROV.qualifiedCommunication: (PROV.activity, PROV.wasInformedBy),
    PROV.qualifiedStart: (PROV.entity, PROV.wasStartedBy),
    PROV.qualifiedEnd: (PROV.entity, PROV.wasEndedBy),
}
#: The instant of a qualified event, for which PROV-O has a plain property of entities.
_EVENTS = {
    PROV.qualifiedGeneration: PROV.generatedAtTime,
    PROV.qualifiedInvalidation: PROV.invalidatedAtTime,
}
_RUNS = {PS.Run, PS.Window, PS.TrainingRun, PS.Inference, PS.Evaluation, PS.Normalisation}
_ATTRIBUTES = {
    PS.writeMode: "mode",
    PROV.generatedAtTime: "generated",
    PROV.startedAtTime: "start",
    PROV.endedAtTime: "end",
}
#: The predicates below that have literals as objects; all others have IRIs.
_VALUED = {
    *(PROV.generatedAtTime, PROV.invalidatedAtTime, PROV.startedAtTime, PROV.endedAtTime, PROV.atTime),
    *(PS.sha256, PS.md5, PS.key, PS.deleted),
}
_INSTANTS = {"generated", "start", "end"}
#: The instants of qualified starts and ends: of one activity there may be several, so only `merge` says which counts.
_MOMENTS = {PROV.qualifiedStart: "atStart", PROV.qualifiedEnd: "atEnd"}


@dataclass(slots=True)
class Facts:
    """What one record says: rows by fact table (without `rec`), and the lines its own PROV terms entail."""

    record: str
    ord: str = ""
    rows: dict[str, set[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(set))
    supersedes: set[str] = field(default_factory=set)
    entailed: set[str] = field(default_factory=set)
    about: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)  # what it says in words, by subject
    edges: set[Edge] = field(default_factory=set)  # what the record states of the lineage graph
    items: set[str] = field(default_factory=set)  # plain items, of which nothing but these edges is kept
    item_edges: list[Edge] = field(default_factory=list)


_Terms = dict[str, list[tuple[str, str]]]  # predicate → (subject, object) pairs, as written


def read_facts(record: str, quads: bytes) -> Facts:
    """The facts of one record; `record` is its IRI, `quads` its canonical N-Quads (bundles included)."""
    by: _Terms = defaultdict(list)
    other: _Terms = defaultdict(list)
    for subject, predicate, value in rdf.triples(quads.decode()):
        # text where a thing is wanted, or the reverse, decides nothing
        (by if (value[0] == '"') is (predicate in _VALUED) else other)[predicate].append((subject, value))
    items, edges = take_items(record, by, other)
    types: dict[str, set[str]] = defaultdict(set)
    for subject, value in by[RDF_TYPE]:
        types[subject].add(value)
    facts = Facts(record, items=items, item_edges=edges)
    me = f"<{record}>"
    facts.about = {rdf.text_of(value) for subject, value in by[PS.about] if subject == me}
    facts.supersedes = {rdf.text_of(value) for subject, value in by[PS.supersedes] if subject == me}
    facts.edges = edges_of(by, record)  # before what they entail is added
    _relations(by, facts)
    _events(by, types, me, facts)
    _states(by, types, facts)
    _descriptions(by, types, me, facts)
    facts.texts = texts_of(by, other, record)
    facts.edges |= {
        (subject, Relation.COLUMNS, content, key, record)
        for subject, key, content, *_ in facts.rows["facet"]
        if key in COLUMN_FACETS and content
    }
    return facts


def _relations(by: _Terms, facts: Facts) -> None:
    """Usage, generation, derivation; and in `entailed` what sub-properties, inverses and qualified forms add."""
    said = _entailed(by)
    for plain, pairs in said.items():
        new = pairs - set(by.get(plain, ()))
        facts.entailed.update(f"{subject} {plain} {value}" for subject, value in new)
        by[plain] += sorted(new)
    for table, plain in (("used", PROV.used), ("generated", PROV.wasGeneratedBy), ("derived", PROV.wasDerivedFrom)):
        facts.rows[table].update((rdf.text_of(s), rdf.text_of(o)) for s, o in by.get(plain, ()))
    used = _by_subject(by, PROV.entity)
    for (activity, role), node in _held(by, PROV.qualifiedUsage, PROV.hadRole):
        facts.rows["role"].update((rdf.text_of(activity), rdf.text_of(e), rdf.text_of(role)) for e in used[node])


def _entailed(by: _Terms) -> dict[str, set[tuple[str, str]]]:
    """Property → (subject, object) pairs that other forms of the same statement entail."""
    said: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for inverse, plain in _INVERSES.items():
        if inverse in by:
            said[plain].update((value, subject) for subject, value in by[inverse])
    for form, (holder, plain) in _QUALIFIED.items():
        said[plain].update(pair for pair, _ in _held(by, form, holder))
    for holder in (PROV.influencer, PROV.entity, PROV.activity, PROV.agent):
        said[PROV.wasInfluencedBy].update(pair for pair, _ in _held(by, PROV.qualifiedInfluence, holder))
    for form, plain in _EVENTS.items():
        said[plain].update(pair for pair, _ in _held(by, form, PROV.atTime))
    for special, plain in _INFLUENCES.items():
        said[plain] |= said[special] | set(by.get(special, ()))
    return said


def _held(by: _Terms, form: str, holder: str) -> Iterator[tuple[tuple[str, str], str]]:
    """((subject, value), node) for each value that a node in a qualified form holds."""
    if form in by and holder in by:
        values = _by_subject(by, holder)
        for subject, node in by[form]:
            yield from (((subject, value), node) for value in values[node])


def _by_subject(by: _Terms, predicate: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for subject, value in by.get(predicate, ()):
        found[subject].append(value)
    return found


def _events(by: _Terms, types: dict[str, set[str]], me: str, facts: Facts) -> None:
    instants = sorted(k for s, v in by[PROV.generatedAtTime] if s == me for k in _key(v))
    kinds = sorted(_KINDS[v] for s, v in by[PS.eventType] if s == me and v in _KINDS)
    instant = instants[0] if instants else ""
    kind = kinds[0] if kinds else ""
    facts.ord = f"{instant}{_RANK.get(kind, 1)}{facts.record.rpartition('/')[2]}"
    if kind and instant:
        for activity in facts.about:
            window = PS.Window in types[f"<{activity}>"]
            facts.rows["event"].add((activity, facts.ord, instant, "WINDOW" if window else kind))
    for subject, value in by[DCT.isPartOf]:
        if _RUNS & types[subject]:
            facts.rows["part"].add((rdf.text_of(subject), rdf.text_of(value)))
    facts.rows["job_of"].update((rdf.text_of(s), rdf.text_of(v)) for s, v in by[PS.job])


def _states(by: _Terms, types: dict[str, set[str]], facts: Facts) -> None:
    general: dict[str, set[str]] = defaultdict(set)
    for subject, value in by[PROV.specializationOf]:
        general[subject].add(rdf.text_of(value))
    for subject, kinds in types.items():
        for kind, mark in ((PS.ReadState, "R"), (PS.WriteState, "W")):
            if kind in kinds:
                for dataset, label in _datasets({each for each in general[subject] if not _is_bytes(each, facts)}):
                    facts.rows["state"].add((rdf.text_of(subject), mark, dataset, label))
        if PS.Source in kinds:
            facts.rows["source"].add((rdf.text_of(subject),))
    for predicate, key in _ATTRIBUTES.items():
        for subject, value in by.get(predicate, ()):
            if subject != f"<{facts.record}>":
                values = _key(value) if key in _INSTANTS else [rdf.text_of(value)]
                facts.rows["attribute"].update((rdf.text_of(subject), key, v) for v in values)
    for form, key in _MOMENTS.items():
        for (activity, value), _ in _held(by, form, PROV.atTime):
            facts.rows["attribute"].update((rdf.text_of(activity), key, v) for v in _key(value))
    _contents(by, types, facts)
    facts.rows["intended"].update((rdf.text_of(s), rdf.text_of(v)) for s, v in by[PS.intendedOutput])
    facts.rows["dropped"].update((rdf.text_of(s), rdf.text_of(v)) for s, v in by[PS.dropped])
    facts.rows["renamed"].update((rdf.text_of(s), rdf.text_of(v)) for s, v in by[PS.renamedFrom])
    facts.rows["symlink"].update((rdf.text_of(s), rdf.text_of(v)) for s, v in by[PS.symlink])


def _contents(by: _Terms, types: dict[str, set[str]], facts: Facts) -> None:
    """The names of the bytes of a state: as stated, or of its digests; a digest of another form is a name as it is."""
    named = [(subject, rdf.text_of(value)) for subject, value in by[PS.bytes]]
    base = facts.record.rpartition("/record/")[0]
    for predicate, algorithm in ((PS.sha256, "sha256"), (PS.md5, "md5")):
        for subject, value in by.get(predicate, ()):
            if PS.Bytes not in types[subject] and subject != f"<{facts.record}>":
                digest = rdf.text_of(value)
                if digest.lower() not in iris.EMPTY:
                    named.append((subject, iris.content_bytes(base, algorithm, digest) or digest))
    facts.rows["attribute"].update((rdf.text_of(subject), "digest", name) for subject, name in named)


def _is_bytes(iri: str, facts: Facts) -> bool:
    """Whether an IRI names bytes: a state of them is a state of the file that held them all the same."""
    base = facts.record.rpartition("/record/")[0]
    return iri.startswith(("ni:///", f"{base}/content/"))


def _datasets(general: set[str]) -> Iterator[tuple[str, str]]:
    """The assets a state specialises, each with the label of the version of it that the state also specialises."""
    versions = {v: d for v in general for d in general if v.startswith(f"{d}/version/")}
    for dataset in general - versions.keys():
        labels = [unquote(v[len(dataset) + 9 :]) for v, d in versions.items() if d == dataset]
        yield dataset, min(labels, default="")


def _descriptions(by: _Terms, types: dict[str, set[str]], me: str, facts: Facts) -> None:
    on = {s: rdf.text_of(v) for s, v in by[PS.on]}
    keys = {s: rdf.text_of(v) for s, v in by[PS.key]}
    contents = {s: rdf.text_of(v) for s, v in by[PS.content]}
    deleted = {s for s, v in by[PS.deleted] if rdf.text_of(v) in ("true", "1")}
    assets = {
        rdf.text_of(s) for s, kinds in types.items() if ({PS.Dataset, PS.Job, PS.Model} | _RUNS) & kinds
    } | facts.about
    for node, subject in on.items():
        asset = int(subject in assets)
        row = (subject, keys.get(node, ""), contents.get(node, ""), int(node in deleted), asset, facts.ord)
        facts.rows["facet"].add(row)
    for subject, value in by[PS.declares]:
        if subject == me:
            jobs = [rdf.text_of(v) for s, v in by[PROV.specializationOf] if s == value]
            facts.rows["declares"].update((job, rdf.text_of(value), facts.ord) for job in jobs)


def _key(term: str) -> list[str]:
    """The instant of an xsd:dateTime term, or nothing where it is none: such a time decides nothing."""
    try:
        return [times.key(rdf.text_of(term))[0]]
    except ValueError:
        return []
