"""Traces: predictions, with what went in and came out of them as whoever sent them lets it be told."""

from __future__ import annotations

import re
from typing import Any, Final

from provstore import iris, rdf, times
from provstore.capture.draft import Draft
from provstore.capture.mlflow import names
from provstore.vocab import DCT, PROV, PS

Object = dict[str, Any]

_DURATION: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?s\Z")
_STATES: Final = {"IN_PROGRESS": PS.RUNNING, "OK": PS.COMPLETE, "ERROR": PS.FAIL}


def trace(draft: Draft, server: str) -> None:
    """A trace as an inference with the logged model that it names, and what it predicted."""
    said = draft.required(draft.value, "trace")
    identifier = draft.text(said, "trace_id", "/trace")
    node = f"<{iris.run(names.trace_id(server, identifier))}>"
    draft.type(node, PROV.Activity, PS.Inference)
    draft.say(node, DCT.identifier, rdf.literal(identifier))
    start = draft.instant(said, "request_time", "/trace")
    end = _end(draft, said)
    draft.head(end or start, node)
    draft.span(node, start, end)
    metadata = names.pairs(draft, said, "trace_metadata", "/trace")
    tags = names.tags(draft, node, said, "/trace")
    state = draft.words(said, "state", "/trace") or ""
    if state in _STATES:
        draft.say(node, PS.state, _STATES[state])
    if title := tags.get("mlflow.traceName", ("", ""))[0]:
        draft.say(node, DCT.title, rdf.literal(title))
    _circumstances(draft, server, node, said, metadata)
    model_id = metadata.get("mlflow.modelId", ("", ""))[0]
    model = names.logged_model(draft, model_id) if model_id else ""
    if model:
        draft.use(node, model, PS.model)
    else:
        draft.note("/trace/trace_metadata", "the trace names no model: what it was made with is unknown")
    _prediction(draft, node, model, state, end or start)


def _circumstances(draft: Draft, server: str, node: str, said: Object, metadata: dict[str, tuple[str, str]]) -> None:
    location = draft.object(
        draft.object(said, "trace_location", "/trace"), "mlflow_experiment", "/trace/trace_location"
    )
    if experiment := draft.words(location, "experiment_id", "/trace/trace_location/mlflow_experiment"):
        draft.say(node, PS.job, names.experiment(draft, server, experiment, names.since(draft)))
    if run := metadata.get("mlflow.sourceRun", ("", ""))[0]:
        draft.say(node, DCT.isPartOf, draft.run(run, pointer="/trace/trace_metadata/mlflow.sourceRun")[1])
    if user := metadata.get("mlflow.user", ("", ""))[0]:
        draft.associate(node, draft.agent("person", user, user), self_asserted=True)
    code = draft.code(metadata.get("mlflow.source.git.commit", ("", ""))[0])
    if code:
        draft.use(node, code)
    for key in ("client_request_id",):
        if value := draft.words(said, key, "/trace"):
            names.attribute(draft, node, "request", key, value)


def _prediction(draft: Draft, node: str, model: str, state: str, made: str | None) -> None:
    """What went in, an item that was used; what came out, a prediction, unless it failed or goes on."""
    item = ""
    given = draft.object(draft.value, "inputs")
    if given:
        item = f"{node[:-1]}#input>"
        draft.type(item, PROV.Entity, PS.RecordItem)
        _told(draft, item, given, "/inputs")
        draft.use(node, item, PS.inputItem)
    if state != "OK":
        return
    prediction = f"{node[:-1]}#prediction>"
    draft.type(prediction, PROV.Entity, PS.Prediction)
    draft.say(prediction, PROV.wasGeneratedBy, node)
    if made:
        draft.say(prediction, PROV.generatedAtTime, made)
    draft.derive(prediction, filter(None, (model, item)))
    _told(draft, prediction, draft.object(draft.value, "outputs"), "/outputs")


def _told(draft: Draft, node: str, said: Object, pointer: str) -> None:
    """A value in clear text, a commitment to it, or nothing."""
    if (value := draft.words(said, "value", pointer)) is not None:
        draft.say(node, PROV.value, rdf.literal(value))
    if commitment := draft.words(said, "commitment", pointer):
        draft.say(node, PS.commitment, rdf.literal(f"hmac-sha256:{commitment}"))


def _end(draft: Draft, said: Object) -> str | None:
    """When it was over: its start and its duration, to the nanosecond."""
    start, lasted = said.get("request_time"), _DURATION.match(str(said.get("execution_duration") or ""))
    if not isinstance(start, str) or lasted is None:
        return None
    try:
        ticks = times.ticks(times.key(start)[0]) + int(lasted[1]) * 10_000_000
        return rdf.date_time(times.lexical(times.of_ticks(ticks + int((lasted[2] or "").ljust(7, "0")[:7]))))
    except ValueError:
        return None
