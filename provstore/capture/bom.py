"""What bills of materials and build statements have in common: artifacts by digest, models and their data."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from provstore import iris, rdf
from provstore.capture.described import Described
from provstore.capture.draft import Object
from provstore.vocab import DCT, PROV, PS

_RUNS: Final = uuid.UUID("0c6f2f1e-7f3b-5a52-9a0e-8d5c3b1f4e72")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
#: Names of digests, as any of the documents write them, that name bytes.
_ALGORITHMS: Final = {"sha256": "sha256", "sha-256": "sha256", "md5": "md5", "gitblob": "git"}


def digests(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Of (algorithm, hexadecimal digits) those by which bytes are named."""
    found = {}
    for algorithm, digest in pairs:
        if isinstance(algorithm, str) and isinstance(digest, str) and algorithm.lower() in _ALGORITHMS:
            found[_ALGORITHMS[algorithm.lower()]] = digest
    return found


def run_id(*parts: str) -> str:
    """The UUID (version 5) of an activity that a document tells of and gives no UUID."""
    return str(uuid.uuid5(_RUNS, json.dumps(parts)))


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """(dotted key, text) of everything in nested objects; lists and empty objects are JSON text."""
    if isinstance(value, dict) and value:
        for name, inner in sorted(value.items()):
            yield from flat(inner, f"{key}.{name}" if key else name)
    elif value is not None:
        yield key, value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def dataset(draft: Described, address: str, otherwise: tuple[str, str]) -> str:
    """The IRI of the dataset at an address, or of the name that it has otherwise."""
    return (draft.named(address) if address else None) or draft.dataset(*otherwise)


def number(text: str) -> str:
    """A measured value as a term: a double where it is a number, else its text."""
    return rdf.literal(text, f"{rdf.XSD}double") if _NUMBER.match(text) else rdf.literal(text)


class Model:
    """A version of a model, and the activities that a document implies: what it was trained in, and evaluated in.

    They are named after the version, whose documents all tell of the same ones.
    """

    def __init__(self, draft: Described, asset: str, version: str, held: dict[str, str], made_by: str = "") -> None:
        """`made_by` is the UUID of the run that made it, where the document tells of one."""
        self._draft, self.node = draft, version
        self._made_by = made_by or run_id("training", version)
        draft.type(asset, PROV.Entity, PS.Model)
        draft.type(version, PROV.Entity, PS.ModelVersion)
        draft.say(version, PROV.specializationOf, asset)
        draft.content(version, held)

    @classmethod
    def named(
        cls, draft: Described, name: tuple[str, str], version: str, held: dict[str, str], made_by: str = ""
    ) -> Model:
        """A model known by a name in a namespace; of a version without a label its digest is one."""
        asset = f"<{draft.base}/model/{iris.enc(name[0])}/{iris.enc(name[1])}>"
        label = version or held.get("sha256", "unknown")
        found = cls(draft, asset, f"{asset[:-1]}/version/{iris.enc(label)}>", held, made_by)
        draft.say(asset, PS.namespace, rdf.literal(name[0]))
        draft.say(asset, PS.name, rdf.literal(name[1]))
        if version:
            draft.say(found.node, PS.version, rdf.literal(version))
        return found

    @property
    def training(self) -> str:
        """The run that made it."""
        _, run = self._draft.run(self._made_by, PS.TrainingRun)
        self._draft.say(self.node, PROV.wasGeneratedBy, run)
        return run

    def learned_from(self, data: str, role: str, held: dict[str, str]) -> str:
        """A dataset (its IRI) that it was trained on: the state that its training read."""
        run = self.training
        state = self._draft.read(run, self._made_by, data, held)
        self._draft.use(run, state, role)
        self._draft.say(self.node, PROV.wasDerivedFrom, state)
        return state

    @property
    def evaluation(self) -> str:
        """The run that measured it."""
        _, run = self._draft.run(run_id("evaluation", self.node), PS.Evaluation)
        self._draft.use(run, self.node, PS.model)
        return run

    def tested_on(self, data: str, role: str, held: dict[str, str]) -> str:
        """A dataset (its IRI) that it was measured on: the state that its evaluation read."""
        run = self.evaluation
        state = self._draft.read(run, run_id("evaluation", self.node), data, held)
        self._draft.use(run, state, role)
        return state

    def measured(self, name: str, value: str, slice_: str = "") -> str:
        """A metric, of a slice where one is told."""
        run, node = self.evaluation, ""
        if slice_:
            node = f"{run[:-1]}#slice/{iris.enc(slice_)}>"
            self._draft.type(node, PROV.Entity, PS.Slice)
            self._draft.say(node, PROV.value, rdf.literal(slice_))
            self._draft.say(node, PROV.wasGeneratedBy, run)
        return self._draft.measurement(run, name, number(value), self.node, slice_=node, place=slice_)

    def told(self, holder: Object, names: dict[str, str]) -> None:
        """Members of an object as named values, each string or list of strings."""
        for member, name in names.items():
            for text in texts(holder.get(member)):
                self._draft.property(self.node, name, text)


def texts(value: Any) -> list[str]:
    """The strings in a value: itself, or those of its list."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str) and each]


def describe(draft: Described, node: str, *, title: str = "", description: str = "", version: str = "") -> None:
    for predicate, text in ((DCT.title, title), (DCT.description, description), (PS.version, version)):
        if text:
            draft.say(node, predicate, rdf.literal(text))
