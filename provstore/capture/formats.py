"""The JSON formats that are taken in: which a payload is of, and what maps it.

RDF is not among them: it comes in whole documents (`provstore.capture.syntax`), these in payloads, one or many a body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from provstore.capture import (
    croissant,
    cyclonedx,
    dta,
    dvc,
    expectations,
    fairness,
    items,
    mlflow,
    openlineage,
    soda,
    spdx,
    statements,
    step,
)
from provstore.capture.redaction import SECRETS, Sparing
from provstore.model import Mapped

Object = dict[str, Any]

#: Media types that say no more than that it is JSON: what a payload is, is then seen from the payload.
GENERIC = frozenset(f"application/{each}" for each in ("json", "x-ndjson", "ndjson", "jsonl", "x-jsonlines"))


class Mapper(Protocol):
    """A pure function from one payload to its record; Unmappable with a JSON pointer where it has no identity."""

    def __call__(self, value: Object, *, base: str) -> Mapped: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format: under the first of its media types its payloads are kept, `sparing` without what."""

    name: str
    title: str
    media_types: tuple[str, ...]
    recognises: Callable[[Object], bool]
    map: Mapper
    sparing: Sparing = SECRETS


def _own(name: str, document: Callable[[Object], bool] = lambda _: False) -> Callable[[Object], bool]:
    """What recognises a payload of our own, `"provstore": "name/version"`, or a document as its tool wrote it."""
    return lambda value: (
        said.partition("/")[0] == name if type(said := value.get("provstore")) is str else document(value)
    )


def own_media_type(name: str) -> str:
    """The media type of a format of our own."""
    return f"application/vnd.provstore.{name}+json"


def _ours(
    name: str,
    title: str,
    map_: Mapper,
    document: Callable[[Object], bool] = lambda _: False,
    sparing: Sparing = SECRETS,
) -> Format:
    """A format under a media type of our own."""
    return Format(name, title, (own_media_type(name),), _own(name, document), map_, sparing)


OPENLINEAGE = Format(
    "openlineage",
    "OpenLineage events",
    ("application/json",),
    lambda _: True,
    openlineage.map_event,
    Sparing(values=openlineage.VALUES),
)
ITEMS = _ours("items", "Record-level items in batches", items.map_items)

CROISSANT = _ours(
    "croissant",
    "Croissant: datasets, their files, columns and annotated records",
    croissant.map_croissant,
    croissant.recognised,
)

#: Every format, the first that recognises a payload is taken; OpenLineage, which may be anything, comes last.
FORMATS: tuple[Format, ...] = (
    _ours("mlflow", "MLflow's entities", mlflow.map_payload),
    _ours("dvc", "history of a DVC repository", dvc.map_payload),
    ITEMS,
    _ours("step", "recorded steps", step.map_payload),
    _ours(
        "expectations",
        "validation results of Great Expectations",
        expectations.map_expectations,
        expectations.recognised,
        Sparing(expectations.ROWS, expectations.VALUES),
    ),
    _ours(
        "soda",
        "scan results of Soda Core",
        soda.map_soda,
        soda.recognised,
        Sparing(soda.ROWS, soda.VALUES),
    ),
    _ours("fairness", "measurements of a model by group, as Fairlearn and AIF360 take them", fairness.map_fairness),
    _ours(
        "dta",
        "metadata by the Data Provenance Standards of the Data & Trust Alliance",
        dta.map_dta,
        dta.recognised,
    ),
    CROISSANT,
    Format(
        "statement",
        "in-toto statements with SLSA provenance, in DSSE envelopes too",
        statements.MEDIA_TYPES,
        _own("statement", statements.recognised),
        statements.map_statement,
        Sparing(sealed=statements.sealed),
    ),
    Format(
        "cyclonedx",
        "CycloneDX bills of materials, with models",
        cyclonedx.MEDIA_TYPES,
        _own("cyclonedx", cyclonedx.recognised),
        cyclonedx.map_bom,
    ),
    Format(
        "spdx",
        "SPDX 3 documents, with the AI and Dataset profiles",
        spdx.MEDIA_TYPES,
        _own("spdx", spdx.recognised),
        spdx.map_document,
    ),
    OPENLINEAGE,
)

_XML = "XML of CycloneDX is not read: wanted is its JSON, which `cyclonedx convert` makes of it"
_TAGS = f"documents of SPDX 2 are not read: {spdx.CONVERT}"
#: Other forms of what is taken in: media type, or end of a file's name → what to do about it.
ELSEWHERE = {
    "application/vnd.cyclonedx+xml": _XML,
    "application/x.vnd.cyclonedx+protobuf": _XML.replace("XML", "Protocol Buffers"),
    "text/spdx": _TAGS,
    ".xml": _XML,
    ".spdx": _TAGS,
}


def of_media_type(media_type: str) -> Format | None:
    """The format that a media type names; None where it is generic, or none of the formats'."""
    bare, _, parameters = media_type.partition(";")
    bare = bare.strip().lower()
    if bare == "application/ld+json" and "mlcommons.org/croissant/" in parameters:  # the profile (specification 1.1)
        return CROISSANT
    return None if bare in GENERIC else next((f for f in FORMATS if bare in f.media_types), None)


def of_payload(value: Object) -> Format:
    """The format that recognises a payload."""
    return next(f for f in FORMATS if f.recognises(value))


def named(name: str) -> Format | None:
    """The format of a name, if there is one."""
    return next((f for f in FORMATS if f.name == name), None)
