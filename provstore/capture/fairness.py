"""Measurements of a model by group, as `provstore.observe.fairness` makes them of Fairlearn's MetricFrame.

Fairlearn and AIF360 write no files, so the form is ours; docs/formats.md tells it member by member.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

from provstore import iris, jcs, rdf
from provstore.capture.described import iri_of, number, text
from provstore.capture.draft import Draft, Object
from provstore.capture.facets import kind_of
from provstore.capture.facets.graph import term_of
from provstore.errors import Unmappable
from provstore.model import Mapped
from provstore.vocab import DCT, EARL, PROV, PS, RDF_TYPE

#: Name and version of the format and of its mapping; what the member `provstore` of a payload says.
ADAPTER: Final = "fairness/1"
_LOGGED: Final = re.compile(r"models:/(m-[0-9a-f]{32})\Z")
_KINDS: Final = ("ratio", "difference")


def map_fairness(value: object, *, base: str) -> Mapped:
    """One evaluation of a model by group as a record: the slices, what was measured on each, the disparities.

    Unmappable where the model or the evaluation has no identity, or nothing was measured.
    """
    if not isinstance(value, dict):
        raise Unmappable(f"an evaluation must be an object, got {kind_of(value)}", pointer="")
    sheet = _Sheet(Draft(base, value, ADAPTER), value)
    sheet.datasets()
    for pointer, each in sheet.draft.objects(value, "groups"):
        sheet.group(pointer, each)
    sheet.overall()
    for pointer, each in sheet.draft.objects(value, "disparities"):
        sheet.disparity(pointer, each)
    if not sheet.measured:
        raise Unmappable("nothing was measured: 'groups' or 'disparities' must have numbers", pointer="/groups")
    return sheet.draft.mapped()


class _Sheet:
    """One evaluation while it is read: its nodes, and the slices that it has."""

    __slots__ = ("_titles", "draft", "identifier", "measured", "model", "reads", "run", "value")

    def __init__(self, draft: Draft, value: Object) -> None:
        self.draft, self.value = draft, value
        self.measured = 0
        self._titles: dict[str, str] = {}  # of the slices
        self.reads: list[tuple[str, frozenset[str]]] = []  # a read state, and the columns it is known to have
        self.model = _model(draft, value.get("model"))
        self.identifier, self.run = self._evaluation()

    def _evaluation(self) -> tuple[str, str]:
        draft, said = self.draft, self.draft.object(self.value, "evaluation")
        started, ended = (draft.instant(said, name, "/evaluation") for name in ("startedAt", "endedAt"))
        named = draft.words(said, "id", "/evaluation")
        if not named and not ended:
            wanted = "an evaluation needs 'id', such as the run's, or 'endedAt', which tell it from others"
            raise Unmappable(wanted, pointer="/evaluation")
        known = named or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ADAPTER} {self.model} {ended}"))
        identifier, run = draft.run(known, PS.Run, PS.Evaluation, pointer="/evaluation/id")
        draft.head(ended or started, run, self.model)
        draft.span(run, started, ended)
        draft.use(run, self.model)
        title = draft.words(said, "name", "/evaluation") or "evaluation by group"
        draft.say(run, DCT.title, rdf.literal(title))
        for member, kind in (("by", "person"), ("tool", "software")):
            if name := draft.words(said, member, "/evaluation"):
                draft.associate(run, draft.agent(kind, name))
        return identifier, run

    def datasets(self) -> None:
        """What the model was evaluated on: read states, by content where a digest is given."""
        draft = self.draft
        for pointer, each in draft.objects(self.value, "datasets"):
            dataset = draft.dataset(draft.text(each, "namespace", pointer), draft.text(each, "name", pointer))
            digest = text(each.get("sha256"))
            if digest and not iris.content_bytes(draft.base, "sha256", digest):
                draft.note(f"{pointer}/sha256", "ignored: 'sha256' must be 64 hexadecimal digits, of some bytes")
                digest = ""
            read = draft.read(self.run, self.identifier, dataset, {"sha256": digest} if digest else {})
            columns = frozenset(text(column) for _, column in draft.items(each, "columns", pointer))
            self.reads.append((read, columns))

    # --- slices ----------------------------------------------------------------------------------------------

    def slice_of(self, group: Any, pointer: str) -> str:
        """The node of the slice that an object of columns and values is, said; each of several columns has its own."""
        if not isinstance(group, dict) or not group or not all(group):
            wanted = "'group' must be an object of columns and values"
            raise Unmappable(f"{wanted}, got {kind_of(group)}", pointer=pointer)
        said = {column: text(value) or jcs.dumps(value) for column, value in sorted(group.items())}
        node = self._slice(said)
        for column, value in said.items() if len(said) > 1 else ():
            self.draft.say(node, DCT.isPartOf, self._slice({column: value}))
        return node

    def _slice(self, said: dict[str, str]) -> str:
        parts = "/".join(iris.enc(part) for pair in said.items() for part in pair)
        node = f"<{self.draft.base}/slice/{self.identifier}/{parts}>"
        self.draft.type(node, PROV.Entity, PS.Slice)
        self.draft.say(node, PS.column, rdf.literal(", ".join(said)))
        self.draft.say(node, PROV.value, rdf.literal(", ".join(said.values())))
        self._titles[node] = ", ".join(f"{column} = {value}" for column, value in said.items())
        self.draft.say(node, DCT.title, rdf.literal(self._titles[node]))
        self.draft.say(node, PROV.wasGeneratedBy, self.run)
        for read, columns in self.reads:
            if not columns or columns & said.keys():
                self.draft.say(node, PROV.wasDerivedFrom, read)
        return node

    def group(self, pointer: str, each: Object) -> None:
        node = self.slice_of(each.get("group"), f"{pointer}/group")
        if type(each.get("count")) is int:
            self.draft.say(node, PS.rowCount, rdf.integer(each["count"]))
        place = node[1:-1].partition(f"/slice/{self.identifier}/")[2]
        for name, value in self._numbers(each, pointer):
            measure = self._measurement(name, value, slice_=node, place=place)
            title = f"{name} where {self._titles[node]}"
            self.draft.say(measure, DCT.title, rdf.literal(title))

    def overall(self) -> None:
        said = self.draft.object(self.value, "overall")
        for name, value in self._numbers(said, "/overall") if said else ():
            self.draft.say(self._measurement(name, value), DCT.title, rdf.literal(f"{name} over all"))

    def _numbers(self, holder: Object, pointer: str) -> Iterator[tuple[str, int | float]]:
        for name, sent in sorted(self.draft.object(holder, "metrics", pointer).items()):
            value = number(sent)
            if value is not None and name:
                yield name, value
            else:
                self.draft.note(f"{pointer}/metrics", f"{name[:60]!r} was not measured: {kind_of(sent)} is no number")

    def _measurement(self, name: str, value: float, **where: str) -> str:
        self.measured += 1
        return self.draft.measurement(self.run, name, term_of(value), self.model, **where)

    # --- disparities -----------------------------------------------------------------------------------------

    def disparity(self, pointer: str, each: Object) -> None:
        """The ratio or difference of a metric between groups; below (or above) its threshold it is a failed test."""
        name, kind, value = text(each.get("metric")), text(each.get("kind")), number(each.get("value"))
        if not name or kind not in _KINDS or value is None:
            wanted = f"a disparity needs 'metric', 'kind' ({' or '.join(_KINDS)}) and 'value', a number"
            raise Unmappable(wanted, pointer=pointer)
        slices = sorted({self.slice_of(group, place) for place, group in _between(pointer, each)})
        if not slices:
            wanted = "a disparity needs 'between', a list of groups, or 'privileged' and 'unprivileged'"
            raise Unmappable(wanted, pointer=pointer)
        columns = {column for _, group in _between(pointer, each) for column in group}
        column = ", ".join(sorted(columns))
        place = f"{self.run[:-1]}#disparity/{'/'.join(map(iris.enc, (name, kind, column)))}"
        node = self._measurement(f"{name} {kind}", value, place=column)
        self.draft.type(node, PS.Disparity)
        self.draft.say(node, DCT.title, rdf.literal(f"{name} {kind} by {column}"))
        self.draft.say(node, PS.column, rdf.literal(column))
        for one in slices:
            self.draft.say(node, PS.between, one)
        limit = number(each.get("threshold"))
        if limit is not None:
            self._judged(place, f"{name} {kind} by {column}", kind, (value, limit))

    def _judged(self, place: str, title: str, kind: str, numbers: tuple[float, float]) -> None:
        """Whether a disparity keeps to its threshold: a ratio is to be at least, a difference at most."""
        value, limit = numbers
        passed = value >= limit if kind == "ratio" else abs(value) <= limit
        test, case, result = f"{place};check>", f"{place};test>", f"{place};result>"
        said = (
            (test, RDF_TYPE, EARL.Assertion),
            (test, EARL.subject, self.model),
            (test, EARL.test, case),
            (test, EARL.result, result),
            (case, RDF_TYPE, EARL.TestCase),
            (case, DCT.title, rdf.literal(title)),
            (result, RDF_TYPE, EARL.TestResult),
            (result, EARL.outcome, EARL.passed if passed else EARL.failed),
            (result, PS.expected, rdf.literal(f"{'at least' if kind == 'ratio' else 'at most'} {jcs.dumps(limit)}")),
            (result, PS.actual, rdf.literal(jcs.dumps(value))),
        )
        for statement in said:
            self.draft.say(*statement)


def _between(pointer: str, each: Object) -> Iterator[tuple[str, Any]]:
    """The groups that a disparity is between, with their pointers."""
    for member in ("between", "privileged", "unprivileged"):
        listed = each.get(member)
        for index, group in enumerate(listed if isinstance(listed, list) else ()):
            yield f"{pointer}/{member}/{index}", group


def _model(draft: Draft, sent: object) -> str:
    """The node of the model version: an IRI as it is, or that of MLflow's logged model."""
    named = text(sent)
    logged = _LOGGED.match(named)
    if logged:
        node = f"<{draft.base}/modelversion/{logged[1]}>"
        draft.say(node, DCT.identifier, rdf.literal(named))
    elif (found := iri_of(named)) and not named.startswith(("models:", "runs:")):
        node = found
    else:
        draft.refuse("'model' must be the IRI of a model version, or models:/m-… of a logged model", sent, "/model")
    draft.type(node, PROV.Entity, PS.ModelVersion)
    return node
