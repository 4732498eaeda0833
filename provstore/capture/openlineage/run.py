"""RunEvents: what one run, or one window of it, was seen to read and to write."""

from __future__ import annotations

from typing import NamedTuple

from provstore import iris, jcs, rdf
from provstore.capture.facets import kind_of
from provstore.capture.openlineage.dbt import Dbt, dbt, write_mode
from provstore.capture.openlineage.event import RECORD, Event, Object, live
from provstore.vocab import DCT, PROV, PS

_PROOFS = ("outputStatistics", "icebergCommitReport")
#: eventType as sent → the individual that `ps:eventType` points to.
_EVENT_TYPES = {name: PS[name] for name in ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "OTHER")}
#: lifecycleStateChange as sent → the individual that `ps:writeMode` points to.
_WRITE_MODES = {name.upper(): PS[name] for name in ("Create", "Overwrite", "Alter", "Truncate")}
#: The operation of an Iceberg commit → what it did to the snapshot before; an "overwrite" may keep some or nothing.
_COMMITS = {"append": PS.Append, "delete": PS.Merge, "replace": PS.Merge}


class _Scene(NamedTuple):
    """Who reads and writes: the run or, for a streaming snapshot, one window of it."""

    run: str
    activity: str
    identifier: str  # the UUID of the activity, of which the states take their names
    completed: bool
    window: bool
    dbt: Dbt


def run_event(event: Event) -> None:
    run = event.required(event.value, "run", "")
    identifier, node = event.run(event.text(run, "runId", "/run"), "/run/runId")
    kind = _event_type(event)
    event.say(RECORD, PS.eventType, _EVENT_TYPES[kind])
    event.say(RECORD, PS.about, node)
    job, job_facets = event.own_job()
    event.say(node, PS.job, job)
    facets = event.facets(run, "facets", "/run")
    event.assert_facets(facets, "/run/facets", node)
    _parents(event, node, facets)
    scene = _scene(event, node, identifier, kind, job_facets, dbt(facets, job_facets))
    for pointer, holder in event.objects("inputs"):
        _input(event, scene, holder, pointer)
    for pointer, holder in event.objects("outputs"):
        _output(event, scene, holder, pointer)


def _event_type(event: Event) -> str:
    sent = event.value.get("eventType")
    if type(sent) is str and sent in _EVENT_TYPES:
        return sent
    meant = sent.upper() if type(sent) is str else ""
    taken = meant if meant in _EVENT_TYPES else "OTHER"
    shown = repr(sent[:60]) if type(sent) is str else kind_of(sent)
    event.note("/eventType", f"'eventType' must be one of {', '.join(_EVENT_TYPES)}; {shown} was taken as {taken}")
    return taken


def _parents(event: Event, run: str, facets: Object) -> None:
    for key in ("parent", "parentRun"):  # the second is what old producers call the first
        facet = live(facets, key)
        if facet is None:
            continue
        _ancestor(event, run, DCT.isPartOf, facet, f"/run/facets/{key}")
        if facet.get("root") is not None:
            _ancestor(event, run, PS.rootRun, facet["root"], f"/run/facets/{key}/root")


def _ancestor(event: Event, run: str, relation: str, holder: object, pointer: str) -> None:
    sent = holder.get("run") if isinstance(holder, dict) else None
    run_id = sent.get("runId") if isinstance(sent, dict) else None
    if not isinstance(holder, dict) or type(run_id) is not str or not run_id:
        event.note(f"{pointer}/run/runId", "ignored: 'runId' must be a non-empty string")
        return
    if f"<{iris.run(iris.run_id(run_id)[0])}>" == run:
        event.note(pointer, "ignored: a run cannot be part of itself")
        return
    _, node = event.run(run_id, f"{pointer}/run/runId")
    event.say(run, relation, node)
    # what is known of a parent may come with its child (ParentRunFacet 1-2-0)
    event.assert_facets(event.facets(holder["run"], "facets", f"{pointer}/run"), f"{pointer}/run/facets", node)
    pair = event.pair(holder.get("job"), f"{pointer}/job")
    if pair:
        job = f"<{event.job(*pair)}>"
        event.say(node, PS.job, job)
        event.assert_facets(event.facets(holder["job"], "facets", f"{pointer}/job"), f"{pointer}/job/facets", job)


def _scene(event: Event, run: str, identifier: str, kind: str, job_facets: Object, told: Dbt) -> _Scene:
    pattern = (live(job_facets, "jobType") or {}).get("emissionPattern")
    mode = pattern.get("eventContentMode") if isinstance(pattern, dict) else None
    if mode != "COMPLETE_SNAPSHOT" or kind not in ("RUNNING", "OTHER"):
        return _Scene(run, run, identifier, completed=kind == "COMPLETE", window=False, dbt=told)
    window_id = iris.window_id(identifier, event.instant)
    window = f"<{iris.run(window_id)}>"
    event.type(window, PROV.Activity, PS.Window)
    event.say(window, DCT.isPartOf, run)
    event.say(RECORD, PS.about, window)
    return _Scene(run, window, window_id, completed=False, window=True, dbt=told)


def _input(event: Event, scene: _Scene, holder: Object, pointer: str) -> None:
    dataset, facets = event.dataset_at(holder, pointer)
    read = _read(event, scene, dataset)
    _specialize_version(event, read, dataset, facets, pointer)
    event.assert_facets(facets, f"{pointer}/facets", read)
    usage = f"{read[:-1]}#usage>"
    event.assert_facets(event.facets(holder, "inputFacets", pointer), f"{pointer}/inputFacets", usage)


def _read(event: Event, scene: _Scene, dataset: str) -> str:
    read = f"<{iris.read_state(dataset, scene.identifier)}>"
    event.say(scene.activity, PROV.used, read)
    event.type(read, PROV.Entity, PS.ReadState)
    event.say(read, PROV.specializationOf, f"<{dataset}>")
    return read


def _output(event: Event, scene: _Scene, holder: Object, pointer: str) -> None:
    dataset, facets = event.dataset_at(holder, pointer)
    write = f"<{iris.write_state(dataset, scene.identifier)}>"
    output_facets = event.facets(holder, "outputFacets", pointer)
    # facets of an output that is only intended are kept for the state it may become
    event.assert_facets(facets, f"{pointer}/facets", write)
    event.assert_facets(output_facets, f"{pointer}/outputFacets", f"{write[:-1]}#generation>")
    if scene.dbt.test:
        event.note(pointer, "not taken as an output: a dbt test names a table for its failures that it does not write")
        return
    change = _lifecycle(event, facets, pointer)
    written = scene.completed or scene.window or any(live(output_facets, proof) is not None for proof in _PROOFS)
    if change == "DROP":
        event.say(scene.run, PS.dropped if scene.completed else PS.intendedOutput, f"<{dataset}>")
    elif written:
        told = _WRITE_MODES.get(change) or _committed(output_facets)
        _write(event, scene, dataset, write, told or write_mode(facets, scene.dbt))
        _specialize_version(event, write, dataset, facets, pointer)
        if change == "RENAME" and scene.completed:
            _renamed(event, scene, dataset, write, facets, pointer)
    else:
        event.say(scene.run, PS.intendedOutput, f"<{dataset}>")


def _write(event: Event, scene: _Scene, dataset: str, write: str, mode: str) -> None:
    event.type(write, PROV.Entity, PS.WriteState)
    event.say(write, PROV.specializationOf, f"<{dataset}>")
    event.say(write, PROV.wasGeneratedBy, scene.activity)
    if mode:
        event.say(write, PS.writeMode, mode)


def _committed(facets: Object) -> str:
    operation = (live(facets, "icebergCommitReport") or {}).get("operation")
    return _COMMITS.get(operation.lower(), "") if type(operation) is str else ""


def _lifecycle(event: Event, facets: Object, pointer: str) -> str:
    change = (live(facets, "lifecycleStateChange") or {}).get("lifecycleStateChange")
    if change is None:
        return ""
    known = change.upper() if type(change) is str else ""
    if known in _WRITE_MODES or known in ("DROP", "RENAME"):
        return known
    event.note(f"{pointer}/facets/lifecycleStateChange", "ignored: 'lifecycleStateChange' is none of the known changes")
    return ""


def _renamed(event: Event, scene: _Scene, dataset: str, write: str, facets: Object, pointer: str) -> None:
    previous = facets["lifecycleStateChange"].get("previousIdentifier")
    if previous is None:
        return
    pair = event.pair(previous, f"{pointer}/facets/lifecycleStateChange/previousIdentifier")
    old = event.dataset(*pair) if pair else dataset
    if old != dataset:
        event.say(write, PS.renamedFrom, _read(event, scene, old))


def _specialize_version(event: Event, state: str, dataset: str, facets: Object, pointer: str) -> None:
    facet = live(facets, "version")
    if facet is None:
        return
    label = facet.get("datasetVersion")
    if type(label) in (int, float):
        label = jcs.dumps(label)  # the content of this facet reports it
    if type(label) is not str or not label:
        event.note(f"{pointer}/facets/version", "ignored: 'datasetVersion' must be a non-empty string")
        return
    version = f"<{iris.version(dataset, label)}>"
    event.say(state, PROV.specializationOf, version)
    event.type(version, PROV.Entity, PS.Version)
    event.say(version, PROV.specializationOf, f"<{dataset}>")
    event.say(version, PS.version, rdf.literal(label))
