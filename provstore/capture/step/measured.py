"""What a step measured: qualities of models and of data, whole or by slice."""

from __future__ import annotations

from provstore import iris, rdf
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import kind_of
from provstore.capture.step.scene import Scene, Told, pointed
from provstore.capture.step.things import term
from provstore.vocab import PROV, PS


def say(draft: Draft, scene: Scene, inputs: Told, outputs: Told) -> None:
    """Each measurement, of the thing that it names, or of the only model in the step, or of the step itself."""
    models = [node for told in (inputs, outputs) for place, node in told.nodes.items() if told.types[place] == "model"]
    seen: set[tuple[str, str]] = set()
    for where, each in draft.objects(draft.value, "measurements"):
        metric, value = draft.words(each, "metric", where), each.get("value")
        if not metric or value is None or isinstance(value, (list, dict)):
            draft.note(where, f"ignored: a measurement has a metric and a value, got {kind_of(value)}")
            continue
        of = pointed(draft, each["of"], f"{where}/of", inputs, outputs) if "of" in each else ""
        on = pointed(draft, each["on"], f"{where}/on", inputs, outputs) if "on" in each else ""
        part, slice_ = _slice(draft, scene, each, where, on)
        place = "/".join(filter(None, (str(each.get("of", "")).strip("/"), str(each.get("on", "")).strip("/"), part)))
        if (metric, place) in seen:
            place = f"{place}{where}"
        seen.add((metric, place))
        of = of or (models[0] if len(models) == 1 else on or scene.node)
        draft.measurement(scene.node, metric, term(value), of, dataset=on, slice_=slice_, place=place)


def _slice(draft: Draft, scene: Scene, said: Object, where: str, on: str) -> tuple[str, str]:
    """What a slice is called, and its node: a part of the data, made by who measured it."""
    columns = sorted(
        (name, str(value))
        for name, value in draft.object(said, "slice", where).items()
        if name and type(value) in (str, int, float, bool)
    )
    if not columns:
        return "", ""
    name = ", ".join(f"{column}={value}" for column, value in columns)
    node = f"{scene.node[:-1]}#slice/{iris.enc(name)}{said['on'] if on else ''}>"
    draft.type(node, PROV.Entity, PS.Slice)
    for column, _ in columns:
        draft.say(node, PS.column, rdf.literal(column))
    draft.say(node, PROV.value, rdf.literal(columns[0][1] if len(columns) == 1 else name))
    draft.say(node, PROV.wasGeneratedBy, scene.node)
    if on:
        draft.derive(node, [on])
    return name, node
