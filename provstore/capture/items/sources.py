"""What items are made from: other items by their keys, samples, states of datasets, anything with an IRI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provstore import iris, rdf
from provstore.capture.facets import kind_of
from provstore.capture.items import reading
from provstore.errors import Unmappable
from provstore.vocab import PROV, PS, SOSA

if TYPE_CHECKING:
    from provstore.capture.items.batch import Batch

_FORMS = (
    'wanted the key of an item, an IRI, {"key": …}, {"state": …} of the same key, {"sample": …}, {"iri": …}'
    ' or {"dataset": {"namespace": …, "name": …}}'
)


@dataclass(frozen=True, slots=True)
class Source:
    """A source: its term; or, where that depends on the item, the namespace and state of the item of the same key."""

    term: str
    namespace: str = ""
    state: str = ""


def source(batch: Batch, given: object, pointer: str) -> Source:
    """A source as it was sent; what it is, is said in the batch."""
    if isinstance(given, str | int) and not isinstance(given, bool):
        sent = reading.name(given, pointer)
        found = reading.iri(sent, pointer)
        return _thing(batch, found) if found else _item(batch, iris.item(batch.base, batch.namespace, sent))
    if not isinstance(given, dict):
        raise Unmappable(f"{_FORMS}; got {kind_of(given)}", pointer=pointer)
    if "dataset" in given:
        return _read(batch, given, pointer)
    if "iri" in given:
        found = reading.iri(reading.text(given["iri"], f"{pointer}/iri"), f"{pointer}/iri")
        if found is None:
            raise Unmappable("wanted an absolute IRI", pointer=f"{pointer}/iri")
        return _thing(batch, found)
    return _keyed(batch, given, pointer)


def _keyed(batch: Batch, given: dict[str, Any], pointer: str) -> Source:
    def said(member: str, default: str) -> str:
        return default if given.get(member) is None else reading.name(given[member], f"{pointer}/{member}")

    if "sample" in given:
        key = reading.name(given["sample"], f"{pointer}/sample")
        return sample(batch, said("namespace", "sample"), key)
    namespace, state, key = said("namespace", batch.namespace), said("state", ""), said("key", "")
    if not key and not state and namespace == batch.namespace:
        raise Unmappable(_FORMS, pointer=pointer)
    if key:
        return _item(batch, iris.item(batch.base, namespace, key, state))
    if namespace == batch.namespace and state == batch.state:
        raise Unmappable("an item cannot be made from itself", pointer=pointer)
    return Source("", namespace, state)


def sample(batch: Batch, namespace: str, key: str) -> Source:
    """The sample of a key."""
    node = f"<{iris.item(batch.base, namespace, key)}>"
    batch.type(node, PROV.Entity, SOSA.Sample)
    return Source(node)


def _item(batch: Batch, named: str) -> Source:
    node = f"<{named}>"
    batch.type(node, PROV.Entity, PS.RecordItem)
    return Source(node)


def _thing(batch: Batch, named: str) -> Source:
    node = f"<{named}>"
    batch.type(node, PROV.Entity)
    return Source(node)


def _read(batch: Batch, given: dict[str, Any], pointer: str) -> Source:
    """The state of a dataset as the run read it."""
    named = reading.mapping(given["dataset"], f"{pointer}/dataset")
    parts = (reading.name(named.get(m), f"{pointer}/dataset/{m}") for m in ("namespace", "name"))
    digests: dict[str, str] = {}
    if given.get("sha256") is not None:
        digest = digests["sha256"] = reading.text(given["sha256"], f"{pointer}/sha256").lower()
        if len(digest) != 64 or digest.strip("0123456789abcdef"):
            raise Unmappable("wanted the 64 hexadecimal digits of a SHA-256", pointer=f"{pointer}/sha256")
    dataset = batch.dataset(*parts)
    state = batch.read(batch.node, batch.identifier, dataset, digests)
    if given.get("version") is not None:
        label = reading.name(given["version"], f"{pointer}/version")
        version = f"<{iris.version(dataset, label)}>"
        batch.type(version, PROV.Entity, PS.Version)
        batch.say(version, PROV.specializationOf, f"<{dataset}>")
        batch.say(version, PS.version, rdf.literal(label))
        batch.say(state, PROV.specializationOf, version)
    return Source(state)
