"""Where in an event each node of its record came from, by the same functions that name the nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from provstore import iris
from provstore.capture.facets import MAPPER, escaped
from provstore.errors import ProvStoreError
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]
#: What a statement of the record or of its run says, and the member of the event that it is taken from.
MEMBERS = {
    PROV.generatedAtTime: "/eventTime",
    PROV.wasAttributedTo: "/producer",
    PS.eventType: "/eventType",
    DCT.identifier: "/run/runId",
}


def nodes(event: Object, record: str, base: str) -> dict[str, list[str]]:
    """IRI → the pointers of the objects that it was made of, for record, run, job, datasets, states and facets."""
    found: dict[str, list[str]] = defaultdict(list)
    for iri, pointer in _nodes(event, record, base):
        if pointer not in found[iri]:
            found[iri].append(pointer)
    return dict(found)


def within(contents: dict[str, list[str]], iri: str) -> list[str]:
    """The pointers of a value inside a facet, whose node is the content's with the pointer as its fragment."""
    name, _, fragment = iri.partition("#")
    return [f"{pointer}{unquote(fragment)}" for pointer in contents.get(name, ())]


def _nodes(event: Object, record: str, base: str) -> Iterator[tuple[str, str]]:
    yield record, ""
    producer = event.get("producer")
    if type(producer) is str and producer:
        yield iris.agent(base, "software", producer), "/producer"
    run, job = event.get("run"), event.get("job")
    activity = ""
    if isinstance(run, dict):
        activity = _run_id(run)
        yield from _run(run, "/run", record, base)
        yield from _parents(run, record, base)
    if isinstance(job, dict):
        yield from _job(job, "/job", record, base)
    for member, state in (("inputs", iris.read_state), ("outputs", iris.write_state)):
        held = event.get(member)
        for index, each in enumerate(held if isinstance(held, list) else ()):
            yield from _dataset(each, f"/{member}/{index}", record, base)
            iri = _dataset_iri(each, base)
            if iri and activity:
                part = "usage" if member == "inputs" else "generation"
                yield state(iri, activity), f"/{member}/{index}"
                yield f"{state(iri, activity)}#{part}", f"/{member}/{index}"
    if isinstance(event.get("dataset"), dict):
        yield from _dataset(event["dataset"], "/dataset", record, base)


def _text(holder: Any, member: str) -> str:
    value = holder.get(member) if isinstance(holder, dict) else None
    return str(value) if type(value) in (str, int, float) else ""


def _run_id(run: Object) -> str:
    sent = _text(run, "runId")
    return iris.run_id(sent)[0] if sent else ""


def _run(run: Any, pointer: str, record: str, base: str) -> Iterator[tuple[str, str]]:
    if isinstance(run, dict):
        if identifier := _run_id(run):
            yield iris.run(identifier), pointer
        yield from _facets(run, "facets", pointer, record, base)


def _job(job: Any, pointer: str, record: str, base: str) -> Iterator[tuple[str, str]]:
    if isinstance(job, dict):
        if (namespace := _text(job, "namespace")) and (name := _text(job, "name")):
            yield iris.job(base, namespace, name), pointer
        yield from _facets(job, "facets", pointer, record, base)


def _parents(run: Object, record: str, base: str) -> Iterator[tuple[str, str]]:
    facets = run.get("facets")
    for key in ("parent", "parentRun"):
        facet = facets.get(key) if isinstance(facets, dict) else None
        for holder, pointer in (
            (facet, f"/run/facets/{key}"),
            (facet.get("root") if isinstance(facet, dict) else None, f"/run/facets/{key}/root"),
        ):
            if isinstance(holder, dict):
                yield from _run(holder.get("run"), f"{pointer}/run", record, base)
                yield from _job(holder.get("job"), f"{pointer}/job", record, base)


def _dataset_iri(holder: Any, base: str) -> str:
    namespace, name = _text(holder, "namespace"), _text(holder, "name")
    return iris.dataset(base, namespace, name) if namespace and name else ""


def _dataset(holder: Any, pointer: str, record: str, base: str) -> Iterator[tuple[str, str]]:
    iri = _dataset_iri(holder, base)
    if not iri:
        return
    yield iri, pointer
    for member in ("facets", "inputFacets", "outputFacets"):
        yield from _facets(holder, member, pointer, record, base)
    facets = holder.get("facets")
    if not isinstance(facets, dict):
        return
    label = _text(facets.get("version"), "datasetVersion")
    if label:
        yield iris.version(iri, label), f"{pointer}/facets/version/datasetVersion"
    symlinks = facets.get("symlinks")
    identifiers = symlinks.get("identifiers") if isinstance(symlinks, dict) else None
    for index, each in enumerate(identifiers if isinstance(identifiers, list) else ()):
        if other := _dataset_iri(each, base):
            yield other, f"{pointer}/facets/symlinks/identifiers/{index}"


def _facets(holder: Object, member: str, pointer: str, record: str, base: str) -> Iterator[tuple[str, str]]:
    facets = holder.get(member)
    for key, facet in facets.items() if isinstance(facets, dict) else ():
        if facet is None:
            continue
        where = f"{pointer}/{member}/{escaped(key)}"
        yield f"{record}#{iris.fragment(where)}", where
        try:
            yield iris.content(key, facet, MAPPER)[0], where
        except (ValueError, RecursionError, ProvStoreError):  # no canonical JSON: it made no content
            continue
        producer = facet.get("_producer") if isinstance(facet, dict) else None
        if type(producer) is str and producer:
            yield iris.agent(base, "software", producer), f"{where}/_producer"
