"""`docs/ontology.md` and its diagrams, from the ontology: `make docs` writes them, a test holds them to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import pyoxigraph as ox

from provstore import resources
from provstore.ui.diagram import diagram
from provstore.ui.profiles import drawn
from provstore.validation.profiles import Box, Row
from provstore.vocab import PS
from tools.reference import ROOT

PAGE = ROOT / "docs" / "ontology.md"
_RDFS, _OWL = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2002/07/owl#"
_SKOS, _TYPE = "http://www.w3.org/2004/02/skos/core#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_PREFIXES = {
    "ps": PS.iri,
    "prov": "http://www.w3.org/ns/prov#",
    "p-plan": "http://purl.org/net/p-plan#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dqv": "http://www.w3.org/ns/dqv#",
    "mls": "http://www.w3.org/ns/mls#",
    "ai": "https://w3id.org/dpv/ai#",
    "dpv": "https://w3id.org/dpv#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "schema": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": _RDFS,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "owl": _OWL,
}

#: How our terms stand to those of others: what the ontology says, and what the page calls it.
RELATIONS = {
    f"{_RDFS}subClassOf": "is a kind of",
    f"{_RDFS}subPropertyOf": "implies",
    _TYPE: "is a",
    f"{_SKOS}closeMatch": "is close to",
    f"{_SKOS}relatedMatch": "looks like, and is not,",
}

#: Every term stands under one topic.
TOPICS: dict[str, tuple[str, str]] = {
    "Records": (
        "What was sent is a record: a named graph, a bundle of PROV, an entry of the ledger.",
        "Record Batch about bundle supersedes supersededBy ledgerIndex recordedAt actor appliedIndex capturedFrom "
        "stateDigest redacted eventType EventType START RUNNING COMPLETE FAIL ABORT OTHER",
    ),
    "Facets": (
        "A facet of an event, or a part of a payload, stands once as a content; records say of what it is.",
        "FacetAssertion Content on key content json deleted pointer omitted refersTo owner ownerType tagSource "
        "externalSystem column name namespace type value",
    ),
    "Runs and jobs": (
        "A job is a plan, a run an activity; what a run was to do is told from what it did.",
        "Run TrainingRun Inference Evaluation Normalisation Calibration Correction Approval Window Job JobVersion "
        "JobDeclaration state job jobVersion rootRun declaredInput declaredOutput declares currentDeclaration "
        "intendedOutput nominalStart nominalEnd message stackTrace processingType integration jobType totalTasks "
        "failedTasks task triggerRule upstream downstream jobEdge sourceJob sourceRun targetJob targetRun "
        "dependencyType sequenceRule statusRule eventTrigger eventContentMode windowDuration earliest latest "
        "selfAsserted reason",
    ),
    "Data and bytes": (
        "An asset is never read or written; its states are. Bytes go by their digests, wherever they lie.",
        "Dataset Source Version ReadState WriteState UnresolvedRead Bytes Partition version previousVersion "
        "writeMode WriteMode Create Append Merge Alter Overwrite Truncate partial dropped renamedFrom "
        "declaredSource feeds symlink previousState bytes sha256 md5 weakDigest rowCount byteSize fileCount "
        "lifecycle datasetType storageLayer framework warehouse filter partition operation field collectionMethod "
        "claimedSource locator",
    ),
    "Lineage and its evidence": (
        "What came from what: stated, or concluded on a basis that is named.",
        "possiblyDerivedFrom basis Basis ContentMatch VersionMatch LatestBefore ExplicitLineage ColumnLineage "
        "SingleInput DeclaredRole Rename KeptByWrite Overlap Tie UnknownWriteMode evidence knownFrom columnEdge "
        "datasetEdge lineageEdge targetDataset targetColumn sourceDataset sourceColumn transformation "
        "transformationType masking untracked",
    ),
    "Models and registry": (
        "A model is an asset, a model version an entity that a run made; a registry and its aliases point at versions.",
        "Model ModelVersion RegistryVersion AliasAssignment alias assigns parameter model trainingData validationData",
    ),
    "Predictions and items": (
        "One prediction about one item, what was decided by it, and whom it is about.",
        "Prediction Decision RecordItem DataSubject inputItem subject concerns pseudonym commitment formula factor "
        "Measurand CalibrationCertificate measuringDevice technician serialNumber",
    ),
    "Quality and bias": (
        "Measurements of data and of models, by slice, and what a test expected.",
        "Slice onSlice onDataset Disparity between NullCount DistinctCount Sum Count Minimum Maximum Quantile "
        "step valueCount lowest highest RowCount ByteSize FileCount quantile severity expected actual",
    ),
    "Code and environment": (
        "Which code ran, in which state, and in which environment.",
        "CodeVersion Environment code codeVersion commit dirty diffSha256 inCommit notInCommit repository codeUrl "
        "path branch tag pullRequest sql dialect programmingLanguage engine environmentVariable adapterVersion",
    ),
    "Policies and rules": (
        "Clauses of laws, what they ask of records, and the validation profiles in use.",
        "Clause TextStatus OfficialText Reproduction Unread textStatus checkedAgainst checkedOn notCheckable "
        "BiometricIdentification Match referenceDatabase Log Signature meaning ReportedFigure ManualStep "
        "Reconciliation ModelValidation retainUntil placedOnMarket assumption limitation materiality nextReview "
        "ProfileUse profile mode propertyPath add remove",
    ),
}

#: What connects the classes in terms of PROV-O; the examples have each of these.
LINKS = """
Run prov:used ReadState
Run prov:wasAssociatedWith prov:Agent
Run prov:used CodeVersion
TrainingRun prov:used ReadState
Window dct:isPartOf Run
JobVersion prov:specializationOf Job
JobDeclaration prov:specializationOf Job
ReadState prov:specializationOf Dataset
ReadState prov:wasDerivedFrom WriteState
WriteState prov:specializationOf Dataset
WriteState prov:wasGeneratedBy Run
WriteState prov:wasDerivedFrom ReadState
Version prov:specializationOf Dataset
ModelVersion prov:specializationOf Model
ModelVersion prov:wasGeneratedBy TrainingRun
ModelVersion prov:wasDerivedFrom ReadState
RegistryVersion prov:specializationOf Model
RegistryVersion prov:wasDerivedFrom ModelVersion
AliasAssignment prov:wasDerivedFrom ModelVersion
AliasAssignment prov:wasGeneratedBy Approval
Prediction prov:wasGeneratedBy Inference
Prediction prov:wasDerivedFrom ModelVersion
Prediction prov:wasDerivedFrom RecordItem
Decision prov:wasDerivedFrom Prediction
RecordItem prov:wasDerivedFrom RecordItem
Match prov:wasGeneratedBy BiometricIdentification
ReportedFigure prov:wasGeneratedBy ManualStep
ModelValidation prov:used ModelVersion
Reconciliation prov:used ReportedFigure
"""


@cache
def said() -> dict[str, dict[str, list[str]]]:
    """Term (its name) → predicate → values, as the ontology states them."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for quad in ox.parse(resources.read("ontology", "provstore.ttl"), format=ox.RdfFormat.TURTLE):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.NamedNode | ox.Literal):
            found[quad.subject.value.removeprefix(PS.iri)][quad.predicate.value].append(quad.object.value)
    return {name: dict(statements) for name, statements in found.items() if name}


def files() -> dict[str, str]:
    """The page and its diagrams, by their paths below `docs/`."""
    made = {f"ontology/{_slug(topic)}.svg": _picture(topic) for topic in TOPICS}
    return {"ontology.md": _page(), **made}


def _page() -> str:
    parts = [_HEAD, _table(("our term", "stands to", "theirs"), _mapping()), _MODEL]
    for topic, (about, _) in TOPICS.items():
        parts.append(f"## {topic}\n\n{about}\n\n![Class diagram: {topic.lower()}](ontology/{_slug(topic)}.svg)")
        parts.append(_table(("term", "of", "is", "says"), map(_row, names(topic))))
    return "\n\n".join(part.strip() for part in parts) + "\n"


_HEAD = """
# Ontology

Made from [`ontology/provstore.ttl`](../ontology/provstore.ttl) by `make docs`; change that, not this page. On `/ns` of
a running server each term has its examples too, three or more; programs get them there as RDF.

`ps:` is `https://w3id.org/provstore/ns#`. It has only what others lack: provenance is PROV-O, catalogues are DCAT and
Dublin Core, measurements DQV, learning ML-Schema, observations SOSA, personal data and AI roles DPV, tests EARL, code
schema.org. Who knows those and nothing of us asks in their terms, and is answered.

## How it stands on others

"""
_MODEL = """
Each class of ours that PROV-O has a place for is a kind of its class, and records state that class as well: nobody has
to know ours to find an entity, an activity or a plan. Where two merely look alike, that is said: our previous version
says nothing of derivation, and DCAT's does.

The middle of it all:

```text
             job (prov:Plan)    agent (prov:Agent)
                   ▲                  ▲
            ps:job │                  │ prov:wasAssociatedWith
                   └────────┬─────────┘
                    run (prov:Activity)
                      │           ▲
            prov:used │           │ prov:wasGeneratedBy
                      ▼           │
 dataset ◄────── read state ◄── write state, model version, prediction ──────► dataset, model
  prov:specializationOf │ prov:wasDerivedFrom │        prov:specializationOf
                        │                     │
               ps:bytes └─────► bytes ◄───────┘ ps:bytes
```
"""


def names(topic: str) -> list[str]:
    """The terms of a topic: classes, then relations, attributes and individuals, each as the topic lists them."""
    listed = [name for name in TOPICS[topic][1].split() if name in said()]
    return sorted(listed, key=_rank)


def _rank(name: str) -> int:
    order = ("Class", "ObjectProperty", "Property", "DatatypeProperty", "NamedIndividual")
    kinds = [each.rpartition("#")[2] for each in said().get(name, {}).get(_TYPE, [])]
    return min((order.index(kind) for kind in kinds if kind in order), default=len(order))


def _mapping() -> Iterable[tuple[str, ...]]:
    """What the ontology says of terms of others, a row for each of theirs and each relation to it."""
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, statements in sorted(said().items()):
        for predicate, word in RELATIONS.items():
            for value in statements.get(predicate, ()):
                if not value.startswith((PS.iri, _OWL, _PREFIXES["rdf"])):
                    rows[_short(value), word].append(f"`ps:{name}`")
    return [(", ".join(ours), word, f"`{theirs}`") for (theirs, word), ours in sorted(rows.items())]


def _row(name: str) -> tuple[str, ...]:
    statements = said()[name]
    of = [_short(each) for each in statements.get(f"{_RDFS}domain", ())]
    kinds = [each for each in statements[_TYPE] if not each.startswith((_OWL, _PREFIXES["rdf"]))]
    above = [*statements.get(f"{_RDFS}subClassOf", ()), *statements.get(f"{_RDFS}range", ()), *kinds]
    (comment,) = statements[f"{_RDFS}comment"]
    return f"`ps:{name}`", _code(of), _code(map(_short, above)), comment.replace("|", "\\|")


def _code(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _short(iri: str) -> str:
    for prefix, start in _PREFIXES.items():
        if iri.startswith(start):
            return f"{prefix}:{iri.removeprefix(start)}"
    return iri


def _slug(topic: str) -> str:
    return topic.lower().replace(" ", "-")


# --- diagrams --------------------------------------------------------------------------------------------------------


def _picture(topic: str) -> str:
    """A class diagram: the classes of a topic, and the relations and attributes that are said of them or of others."""
    rows: dict[str, list[Row]] = {name: [] for name in names(topic) if _rank(name) == 0}
    for name in names(topic):
        if 0 < _rank(name) < 4:
            domain = said()[name].get(f"{_RDFS}domain", [""])[0]
            target = said()[name].get(f"{_RDFS}range", [""])[0]
            home = domain.removeprefix(PS.iri)
            rows.setdefault(home, []).append(Row(f"ps:{name}", 0, None, _short(target), (target,), ""))
    for home, relation, target in links():
        if home in rows and home in names(topic):
            rows[home].append(Row(relation, 0, None, _short(target), (target,), ""))
    boxes = [_box(home, tuple(found)) for home, found in rows.items()]
    return drawn(diagram(boxes), f"The ontology: {topic.lower()}").decode()


def links() -> list[tuple[str, str, str]]:
    """Each of `LINKS`: the name of a class of ours, a prefixed relation, and the IRI of the class it leads to."""
    triples = [line.split() for line in LINKS.split("\n") if line]
    return [(ours, name, full(other) if ":" in other else f"{PS.iri}{other}") for ours, name, other in triples]


def full(name: str) -> str:
    """The IRI of a prefixed name."""
    prefix, _, local = name.partition(":")
    return f"{_PREFIXES[prefix]}{local}"


def _box(home: str, rows: tuple[Row, ...]) -> Box:
    if not home:
        return Box(("said of various things",), (), rows)
    if home not in said():
        return Box((_short(home),), (home,), rows)
    above = said()[home].get(f"{_RDFS}subClassOf", [])
    return Box((f"ps:{home}{' ⊑ ' if above else ''}{', '.join(map(_short, above))}",), (f"{PS.iri}{home}",), rows)


if __name__ == "__main__":
    for path, text in files().items():
        (PAGE.parent / path).parent.mkdir(exist_ok=True)
        (PAGE.parent / path).write_text(text, encoding="utf-8")
