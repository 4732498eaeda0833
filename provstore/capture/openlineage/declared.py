"""JobEvents and DatasetEvents: what is declared to be so, not what was seen to happen."""

from __future__ import annotations

import hashlib

from provstore import jcs
from provstore.capture.openlineage.event import RECORD, Event
from provstore.vocab import PROV, PS


def job_event(event: Event) -> None:
    job, _ = event.own_job()
    event.say(RECORD, PS.about, job)
    inputs = _datasets(event, "inputs", "inputFacets")
    outputs = _datasets(event, "outputs", "outputFacets")
    declared = jcs.dumps({"inputs": sorted(inputs), "outputs": sorted(outputs)})
    node = f"{job[:-1]}/declared/{hashlib.sha256(declared.encode()).hexdigest()}>"
    event.say(RECORD, PS.declares, node)
    event.type(node, PROV.Entity, PROV.Plan, PS.JobDeclaration)
    event.say(node, PROV.specializationOf, job)
    for predicate, datasets in ((PS.declaredInput, inputs), (PS.declaredOutput, outputs)):
        for iri in datasets.values():
            event.say(node, predicate, f"<{iri}>")


def _datasets(event: Event, member: str, own_facets: str) -> dict[tuple[str, str], str]:
    """Namespace and name → IRI, for each dataset of a list; its facets are said of the dataset."""
    found = {}
    for pointer, holder in event.objects(member):
        iri, facets = event.dataset_at(holder, pointer)
        found[str(holder["namespace"]), str(holder["name"])] = iri
        event.assert_facets(facets, f"{pointer}/facets", f"<{iri}>")
        event.assert_facets(event.facets(holder, own_facets, pointer), f"{pointer}/{own_facets}", f"<{iri}>")
    return found


def dataset_event(event: Event) -> None:
    """A dataset described by itself. What its `lineage` facet declares is merged, not said here: the last one holds."""
    dataset = event.required(event.value, "dataset", "")
    iri, facets = event.dataset_at(dataset, "/dataset")
    event.say(RECORD, PS.about, f"<{iri}>")
    event.assert_facets(facets, "/dataset/facets", f"<{iri}>")
