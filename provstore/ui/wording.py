"""Words for what lineage says in names of its own: kinds, relations seen from either end, rules of conclusion."""

from __future__ import annotations

import re
from functools import cache

from provstore.ui import names
from provstore.ui.vocabulary import vocabulary
from provstore.vocab import PS

#: Kind → one of it, many of it.
KINDS = {
    "WriteState": ("written state", "written states"),
    "ReadState": ("read", "reads"),
    "Version": ("version", "versions"),
    "ModelVersion": ("model version", "model versions"),
    "RecordItem": ("item", "items"),
    "RegistryVersion": ("registry version", "registry versions"),
    "Bytes": ("bytes", "bytes"),
    "AliasAssignment": ("alias assignment", "alias assignments"),
    "TrainingRun": ("training run", "training runs"),
    "JobVersion": ("job version", "job versions"),
    "JobDeclaration": ("job declaration", "job declarations"),
    "CodeVersion": ("code version", "code versions"),
    "SoftwareAgent": ("software agent", "software agents"),
    "DataSubject": ("data subject", "data subjects"),
    "CalibrationCertificate": ("calibration certificate", "calibration certificates"),
    "QualityMeasurement": ("measurement", "measurements"),
    "Activity": ("activity", "activities"),
    "Entity": ("entity", "entities"),
    "Person": ("person", "people"),
    "": ("thing", "things"),
}
#: (Relation, direction) → what the thing is to those it lists.
RELATIONS = {
    ("derived", "out"): "comes from",
    ("derived", "in"): "became",
    ("possible", "out"): "may come from",
    ("possible", "in"): "may have become",
    ("influenced", "out"): "was influenced by",
    ("influenced", "in"): "influenced",
    ("used", "out"): "used",
    ("used", "in"): "was used by",
    ("generated", "out"): "was made by",
    ("generated", "in"): "made",
    ("informed", "out"): "was informed by",
    ("informed", "in"): "informed",
    ("member", "out"): "has as members",
    ("member", "in"): "is a member of",
    ("invalidated", "out"): "was invalidated by",
    ("invalidated", "in"): "invalidated",
    ("special", "out"): "is a state or version of",
    ("special", "in"): "states or versions",
    ("bytes", "out"): "consisted of",
    ("bytes", "in"): "files and states of these bytes",
    ("symlink", "out"): "is the same as",
    ("symlink", "in"): "is the same as",
    ("part", "out"): "is part of",
    ("part", "in"): "has as parts",
    ("job", "out"): "is a run of",
    ("job", "in"): "had the runs",
    ("job_version", "out"): "ran the version",
    ("job_version", "in"): "was run by",
    ("state", "out"): "ended as",
    ("associated", "out"): "had a hand in it",
    ("associated", "in"): "had a hand in",
    ("attributed", "out"): "is attributed to",
    ("attributed", "in"): "is named as the owner or author of",
    ("on_behalf", "out"): "acts on behalf of",
    ("on_behalf", "in"): "is represented by",
    ("previous", "out"): "previous state",
    ("previous", "in"): "next state",
    ("assigns", "out"): "is a name given to",
    ("assigns", "in"): "names given to it",
    ("intended", "out"): "announced the outputs",
    ("intended", "in"): "was announced by",
}
#: Basis → by what a step was concluded.
BASES = {
    "ContentMatch": "the same content hash",
    "VersionMatch": "the same version label",
    "LatestBefore": "the latest write before the read",
    "ExplicitLineage": "lineage that was stated",
    "ColumnLineage": "column lineage",
    "SingleInput": "the only input",
    "DeclaredRole": "a declared role, such as training data",
    "Rename": "a rename",
    "KeptByWrite": "kept by an append or merge",
    "Overlap": "a write that ended while the reader ran",
    "Tie": "writes that tie",
    "UnknownWriteMode": "a write that may have kept what was there",
}
#: What EARL calls the outcome of a check, where it is no word that people use.
CHECKED = {"cantTell": "could not tell", "untested": "not run", "inapplicable": "does not apply"}
#: How a run ended → in a word.
OUTCOMES = {"COMPLETE": "completed", "FAIL": "failed", "ABORT": "aborted", "START": "started", "RUNNING": "running"}
#: Property → its label where the ontology of the store has none.
_LABELS = {
    "http://qudt.org/schema/qudt/numericValue": "value",
    "http://qudt.org/schema/qudt/unit": "unit",
    "http://www.w3.org/ns/prov#value": "value",
    "http://www.w3.org/ns/prov#invalidatedAtTime": "invalid since",
    "http://purl.org/dc/terms/conformsTo": "schema",
    "http://purl.org/dc/terms/identifier": "also known as",
    "http://purl.org/dc/terms/isPartOf": "part of",
    "http://www.w3.org/ns/dqv#isMeasurementOf": "metric",
    "http://www.w3.org/ns/dqv#computedOn": "computed on",
    "http://www.w3.org/ns/dqv#value": "measured value",
}


def kind(name: str) -> str:
    """A kind in words."""
    if name in ("WriteState", "ReadState"):
        return "state, as written" if name == "WriteState" else "state, as read"
    return KINDS[name][0] if name in KINDS else names.spaced(name)


def kinds(name: str, count: int) -> str:
    """A number of things of a kind in words: `3 model versions`."""
    one, many = KINDS.get(name, (names.spaced(name), f"{names.spaced(name)}s"))
    return f"{count:,} {one if count == 1 else many}"


def relation(name: str, direction: str, kind: str | None = None) -> str:
    """What a thing is to others by a relation, and of which kind those are where that is said."""
    if name in ("special", "bytes") and direction == "in" and kind:
        return KINDS[kind][1] if kind in KINDS else "states or versions"
    return RELATIONS.get((name, direction), f"{name} ({direction})")


#: Property → what a thing is to those that have it as its value.
REFERENCES = {
    "http://www.w3.org/ns/prov#hadPlan": "was the plan of",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "is the class of",
    f"{PS.iri}declaredInput": "is a declared input of",
    f"{PS.iri}declaredOutput": "is a declared output of",
    f"{PS.iri}concerns": "is the concern of",
    f"{PS.iri}subject": "is the subject of",
    "http://www.w3.org/ns/dqv#isMeasurementOf": "is the metric of",
}


def reference(iri: str) -> str:
    """What a thing is to those that have it as the value of a property."""
    return REFERENCES.get(iri, f"is “{label(iri)}” of")


def basis(name: str) -> str:
    """By what rule a step was concluded."""
    return BASES.get(name, names.spaced(name))


@cache
def _own() -> dict[str, str]:
    return {f"{PS.iri}{term.name}": term.label for section in vocabulary().sections for term in section.terms}


def label(iri: str) -> str:
    """A property in words: its label in a vocabulary that is known here, else its last part."""
    found = _LABELS.get(iri) or _own().get(iri)
    return found if found else names.spaced(re.split("[/#:]", iri.rstrip("/#:"))[-1]) or iri
