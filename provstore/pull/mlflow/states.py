"""States of MLflow's entities as payloads: what REST says, in one order, without what changes by itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provstore.capture.redaction import hide
from provstore.pull.mlflow import histories

FORMAT: Final = "mlflow/1"

Object = dict[str, Any]

#: What a trace holds of what went in and came out, as (member of the trace, member of that), in clear text.
_SPOKEN: Final = {
    "inputs": ("mlflow.traceInputs", "request_preview"),
    "outputs": ("mlflow.traceOutputs", "response_preview"),
}
#: What else a trace holds of people in clear text: who asked, and what somebody wrote of the answer.
_OF_PEOPLE: Final = frozenset(
    (
        *("mlflow.trace.user", "assessments/rationale", "assessments/metadata", "assessments/expectation"),
        *("feedback/value", "feedback/error", "source/source_id"),
    )
)
#: Lists whose order says nothing in MLflow, and what they are put in order by.
_UNORDERED: Final = ("tags", "params", "metrics", "dataset_inputs", "model_inputs", "model_outputs", "aliases")


def of_experiment(server: str, said: Object) -> Object:
    """An experiment, without the time of its last change, which each run moves."""
    return _payload("experiment", server, experiment=_without(said, "last_update_time"))


def of_run(
    server: str,
    said: Object,
    is_first: Callable[[tuple[str, str]], bool],
    made: Iterable[str],
    reads: Sequence[Object] = (),
) -> Object:
    """A run; `is_first` tells whether it was the first of its experiment with a dataset of a name and digest.

    MLflow keeps a dataset once for (experiment, name, digest), with the source that the first run gave: an input of
    another run has `"first": false`. `made` are the logged models that name the run as the one that made them; not
    every client has the run name them too.
    """
    run = dict(said)
    inputs = dict(run.get("inputs") or {})
    datasets = [
        each if is_first(dataset_key(each)) else {**each, "first": False} for each in inputs.get("dataset_inputs") or ()
    ]
    if datasets:
        run["inputs"] = {**inputs, "dataset_inputs": datasets}
    outputs = dict(run.get("outputs") or {})
    told = list(outputs.get("model_outputs") or ())
    untold = set(made) - {str(each.get("model_id")) for each in told}
    if untold:
        run["outputs"] = {**outputs, "model_outputs": [*told, *({"model_id": each} for each in untold)]}
    return _payload("run", server, run=run, **({"reads": list(reads)} if reads else {}))


def dataset_key(said: Object) -> tuple[str, str]:
    """What tells a dataset input from others of its experiment, for MLflow: name and digest."""
    dataset = said.get("dataset") or {}
    return str(dataset.get("name", "")), str(dataset.get("digest", ""))


def of_logged_model(server: str, said: Object) -> Object:
    """A logged model; of a metric that one run measured on one dataset several times, how that went.

    MLflow gives every value that was ever logged.
    """
    data = said.get("data") or {}
    metrics = histories.together(data.get("metrics") or ())
    return _payload("logged-model", server, model={**said, "data": {**data, "metrics": metrics}} if metrics else said)


def of_registered_model(server: str, said: Object) -> Object:
    """A registered model, without its latest versions, which are states of their own, and without what they move."""
    return _payload("registered-model", server, model=_without(said, "latest_versions", "last_updated_timestamp"))


def of_model_version(server: str, said: Object, model: str) -> Object:
    """A version of a registered model; `model` is the logged model that its source leads to, '' where none is known."""
    return _payload("model-version", server, version=said, **({"model_id": model} if model else {}))


def of_change(server: str, name: str, alias: str, change: Object, ends: str) -> Object:
    """A change of an alias; `ends` is the mark of the assignment that it ended, '' where there was none."""
    ended = {"ends": ends} if ends else {}
    return _payload("alias-change", server, name=name, alias=alias, change=change, **ended)


def of_files(server: str, model: str, run: str, files: list[Object], texts: Mapping[str, str]) -> Object:
    """The files of a logged model: path, size and SHA-256 of each; `texts` are those that tell its environment."""
    made = {"run_id": run} if run else {}
    return _payload("model-files", server, model_id=model, **made, files=files, texts=dict(texts))


def of_artifacts(server: str, info: Object, artifacts: list[Object], *, more: bool) -> Object:
    """What a run logged: path, size and, of what was hashed, SHA-256 of each; `more` where that is not all."""
    told = {name: info[name] for name in ("artifact_uri", "end_time") if info.get(name)}
    rest = {"more": True} if more else {}
    return _payload("run-artifacts", server, run_id=info["run_id"], **told, artifacts=artifacts, **rest)


def of_histories(server: str, run: str, metrics: list[Object]) -> Object:
    """How the metrics of a run went, in summaries."""
    return _payload("metric-histories", server, run_id=run, metrics=metrics)


def of_deletion(server: str, of: str, identifier: str, since: str = "", *, back: bool = False) -> Object:
    """That MLflow no longer has what it had: it was deleted for good. Or, `back`, that it has it all the same."""
    more = {**({"since": since} if since else {}), **({"back": True} if back else {})}
    return _payload("deletion", server, of=of, id=identifier, **more)


def of_trace(server: str, said: Object, spoken: Spoken) -> Object:
    """A trace; what went in and came out of it, and what is told of people, as `spoken` has it."""
    metadata = dict(said.get("trace_metadata") or {})
    told: Object = {}
    trace = {**said, "trace_metadata": metadata}
    for side, (member, preview) in _SPOKEN.items():
        text = metadata.pop(member, None)
        shown = trace.pop(preview, None)
        if (text or shown) is not None:
            told[side] = spoken.told(str(said["trace_id"]), side, str(text or shown))
    for member in ("mlflow.trace.sizeStats", "mlflow.trace.sizeBytes", "mlflow.trace.infoFinalized"):
        metadata.pop(member, None)
    payload = _payload("trace", server, trace=trace, **told)
    found = hide(payload, frozenset() if spoken.how == "keep" else _OF_PEOPLE)
    return {**found.value, "redacted": list(found.pointers)} if found.pointers else payload


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is told of a trace's inputs and outputs: a commitment, that they were there, or their text.

    A commitment is HMAC-SHA-256 under the key of `{nonce}.{text}`; the nonce, HMAC-SHA-256 under the key of
    `{trace}.{side}`, is told to nobody: who has the key and the text can show that this was the text.
    """

    how: str  # commit, redact or keep
    key: str = ""

    def told(self, trace: str, side: str, text: str) -> Object:
        if self.how == "keep":
            return {"value": text}
        if self.how == "redact" or not self.key:
            return {"redacted": True}
        key = self.key.encode()
        nonce = hmac.digest(key, f"{trace}.{side}".encode(), hashlib.sha256).hex()
        return {"commitment": hmac.digest(key, f"{nonce}.{text}".encode(), hashlib.sha256).hex()}


def _payload(kind: str, server: str, **said: Any) -> Object:
    return {
        "provstore": FORMAT,
        "kind": kind,
        "server": server,
        **{name: _settled(each) for name, each in said.items()},
    }


def _without(said: Object, *members: str) -> Object:
    return {name: each for name, each in said.items() if name not in members}


def _settled(value: Any) -> Any:
    """The value with unordered lists in one order, and numbers that JSON has no word for as text."""
    if isinstance(value, dict):
        return {
            name: sorted(map(_settled, each), key=_order)
            if name in _UNORDERED and isinstance(each, list)
            else _settled(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_settled(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
