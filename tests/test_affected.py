"""What a change can affect: whatever shapes and triples there are, results kept up to date equal those made anew."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest

from provstore.rdf import RDF, XSD
from provstore.validation.affected import Affected, Nodes, Triple, read_predicates
from provstore.validation.closures import ValidationResult, Validator
from provstore.validation.engine import parsed
from provstore.validation.graph import Data, Graph
from provstore.validation.reading import read
from provstore.validation.shapes import Shapes, sh
from provstore.validation.terms import SUB_CLASS_OF, TYPE

EX = "http://example.org/"


def ex(name: str) -> str:
    return f"<{EX}{name}>"


PREDICATES = [ex("p"), ex("q"), ex("r")]
CLASSES = [ex("A"), ex("B"), ex("C")]
NODES = [ex(f"n{number}") for number in range(6)]
LITERALS = ['"x"', '"x"@en', '"y"@en', '"z"@de', f'"1"^^<{XSD}integer>', f'"01"^^<{XSD}integer>', '"other"']
QUERIES = [
    "SELECT $this ?value WHERE { $this ex:p ?value . ?value ex:q ?x }",
    "SELECT $this WHERE { ?other ex:p $this ; ex:q ?x . FILTER NOT EXISTS { ?x ex:r ?y . ?y a ex:A } }",
    "SELECT $this WHERE { $this ex:p ?x . OPTIONAL { ?x ex:q/ex:r ?y } FILTER (!BOUND(?y)) }",
    "SELECT $this ?value WHERE { { $this ex:p ?value } UNION { ?value ex:q $this . ?value ex:r ?z } }",
    "SELECT $this WHERE { $this ex:p ?x . ?y ex:q ?z }",
    "SELECT $this WHERE { $this ex:p ?x . FILTER NOT EXISTS { ?y ex:q ?z } }",
    "SELECT $this WHERE { $this (ex:p|^ex:q)*/ex:r ?y . FILTER EXISTS { ?y a ex:A } }",
    "SELECT $this WHERE { { SELECT $this (COUNT(?y) AS ?n) WHERE { $this ex:q ?y } GROUP BY $this } FILTER (?n > 1) }",
    "SELECT $this (COUNT(?y) AS ?value) WHERE { $this ex:p/ex:q ?y } GROUP BY $this HAVING (COUNT(?y) > 1)",
    "SELECT $this WHERE { $this ?p ?x . ?x ex:r ?y . FILTER (?p != ex:q) }",
    'SELECT $this WHERE { ?x ex:p "x" . ?x ex:q $this }',
    "SELECT $this ?value WHERE { $this ex:p ?value . ?other ex:q ?value ; ex:r ?z }",
    "SELECT $this WHERE { OPTIONAL { ?z ex:p ?g } $this ex:q ?g }",
    "SELECT $this { $this ex:p ?x OPTIONAL { ?x ex:q ?y OPTIONAL { ?y ex:r ?z } } OPTIONAL { ?z ex:p ?w } "
    "FILTER(BOUND(?w) || !BOUND(?y)) }",
    "SELECT $this { $this ex:p ?x . FILTER (NOT EXISTS { ?x ex:q ex:n1 } "
    "&& EXISTS { ?x ex:r ?y FILTER NOT EXISTS { ?y ex:p ?x } }) }",
    "SELECT $this WHERE { GRAPH $shapesGraph { $currentShape ?p ?o } $this ex:p ex:n2 }",
    "SELECT $this WHERE { $this ex:p? ?x . ?x ^ex:q/ex:r? ?y . FILTER (?y != $this) }",
]


class _Shaper:
    """Makes a random shapes graph: every component, every kind of path and target."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._number = chance, 0
        self.graph = Graph()

    def made(self) -> Shapes:
        for _ in range(self._chance.randint(1, 3)):
            node = self._shape(self._chance.randint(0, 2), self._chance.random() < 0.5)
            for _ in range(self._chance.randint(1, 2)):
                self._say(node, *self._chance.choice(self._targets()))
        return read(self.graph)

    def _targets(self) -> list[tuple[str, str]]:
        pick = self._chance.choice
        return [
            ("targetClass", pick(CLASSES)),
            ("targetSubjectsOf", pick(PREDICATES)),
            ("targetObjectsOf", pick(PREDICATES)),
            ("targetNode", pick(NODES)),
        ]

    def _say(self, node: str, name: str, value: str) -> None:
        self.graph.add(node, sh(name), value)

    def _new(self) -> str:
        self._number += 1
        return f"_:b{self._number}"

    def _shape(self, depth: int, of_property: bool) -> str:
        node = self._new()
        if of_property:
            self._say(node, "path", self._path(2))
        for _ in range(self._chance.randint(1, 2)):
            self._constraint(node, depth, of_property)
        return node

    def _path(self, depth: int) -> str:
        kind = self._chance.randint(0, 6) if depth else 0
        if kind in (0, 1):
            return self._chance.choice(PREDICATES)
        if kind == 2:
            return self._list([self._path(depth - 1) for _ in range(2)])
        node = self._new()
        if kind == 3:
            self._say(node, "inversePath", self._path(depth - 1))
        elif kind == 4:
            self._say(node, "alternativePath", self._list([self._path(depth - 1) for _ in range(2)]))
        else:
            names = ("zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
            self._say(node, self._chance.choice(names), self._path(depth - 1))
        return node

    def _list(self, members: list[str]) -> str:
        head = f"<{RDF}nil>"
        for member in reversed(members):
            node = self._new()
            self.graph.add(node, f"<{RDF}first>", member)
            self.graph.add(node, f"<{RDF}rest>", head)
            head = node
        return head

    def _constraint(self, node: str, depth: int, of_property: bool) -> None:
        chance, pick = self._chance, self._chance.choice
        kinds = ["class", "datatype", "nodeKind", "in", "hasValue", "pattern", "length", "bound", "pair", "closed"]
        kinds += ["languageIn", "sparql", "sparql"]
        kinds += ["count", "count", "uniqueLang", "order"] if of_property else []
        kinds += ["node", "not", "and", "or", "xone", "property", "property"] if depth else []
        kinds += ["qualified"] if depth and of_property else []
        match pick(kinds):
            case "class":
                self._say(node, "class", pick(CLASSES))
            case "datatype":
                self._once(node, "datatype", f"<{XSD}{pick(['integer', 'string'])}>")
            case "nodeKind":
                self._once(node, "nodeKind", sh(pick(["IRI", "Literal"])))
            case "in":
                self._once(node, "in", self._list([pick(NODES + LITERALS) for _ in range(4)]))
            case "hasValue":
                self._say(node, "hasValue", pick(NODES + LITERALS))
            case "pattern":
                self._once(node, "pattern", '"[nx][0-3]?$"')
            case "length":
                self._once(node, pick(["minLength", "maxLength"]), self._integer(chance.randint(1, 20)))
            case "bound":
                self._once(node, "minInclusive", self._integer(2))
            case "pair":
                self._say(node, pick(["equals", "disjoint"]), pick(PREDICATES))
            case "order":
                self._say(node, pick(["lessThan", "lessThanOrEquals"]), pick(PREDICATES))
            case "closed":
                self._once(node, "closed", f'"true"^^<{XSD}boolean>')
                self._once(node, "ignoredProperties", self._list([TYPE, pick(PREDICATES)]))
            case "languageIn":
                self._once(node, "languageIn", self._list(['"en"']))
            case "uniqueLang":
                self._once(node, "uniqueLang", f'"true"^^<{XSD}boolean>')
            case "count":
                self._once(node, pick(["minCount", "maxCount"]), self._integer(chance.randint(0, 3)))
            case "sparql":
                self._query(node)
            case "node" | "not" as name:
                self._say(node, name, self._shape(depth - 1, chance.random() < 0.5))
            case "and" | "or" | "xone" as name:
                self._say(node, name, self._list([self._shape(depth - 1, chance.random() < 0.5) for _ in range(2)]))
            case "property":
                self._say(node, "property", self._shape(depth - 1, True))
            case "qualified":
                self._once(node, "qualifiedValueShape", self._shape(depth - 1, chance.random() < 0.5))
                self._once(node, pick(["qualifiedMinCount", "qualifiedMaxCount"]), self._integer(chance.randint(0, 2)))
                self._once(node, "qualifiedValueShapesDisjoint", f'"true"^^<{XSD}boolean>')

    def _query(self, node: str) -> None:
        query = self._new()
        self._say(node, "sparql", query)
        self._say(query, "select", f'"{self._chance.choice(QUERIES)}"'.replace('"x" .', '\\"x\\" .'))
        self._say(query, "prefixes", ex("prefixes"))
        if not [*self.graph.objects(ex("prefixes"), sh("declare"))]:
            self._say(ex("prefixes"), "declare", ex("declared"))
            self._say(ex("declared"), "prefix", '"ex"')
            self._say(ex("declared"), "namespace", f'"{EX}"')

    def _once(self, node: str, name: str, value: str) -> None:
        if not [*self.graph.objects(node, sh(name))]:
            self._say(node, name, value)

    def _integer(self, number: int) -> str:
        return f'"{number}"^^<{XSD}integer>'


def _triple(chance: random.Random) -> Triple:
    kind = chance.random()
    if kind < 0.2:
        return chance.choice(NODES), TYPE, chance.choice(CLASSES)
    if kind < 0.25:
        return chance.choice(CLASSES), SUB_CLASS_OF, chance.choice(CLASSES)
    return chance.choice(NODES), chance.choice(PREDICATES), chance.choice(NODES + NODES + LITERALS)


def _graph(triples: Iterable[Triple]) -> Graph:
    graph = Graph()
    for triple in sorted(triples):
        graph.add(*triple)
    return graph


_Kept = dict[tuple[str, str], list[str]]


def _told(results: Iterable[ValidationResult]) -> list[str]:
    def told(result: ValidationResult) -> str:
        inner = sorted(map(told, result.details))
        constraint = f"{result.constraint.component} {id(result.constraint)}"
        return f"{result.focus} {result.shape.node} {constraint} {result.path} {result.value} {result.messages} {inner}"

    return sorted(map(told, results))


def _whole(shapes: Shapes, validator: Validator, data: Graph) -> _Kept:
    return {
        (shape.node, focus): found
        for shape in shapes.targeted()
        for focus in validator.targets(data, shape)
        if (found := _told(validator.check(data, shape.node, [focus])))
    }


def _keep(kept: _Kept, shapes: Shapes, validator: Validator, data: Graph, affected: dict[str, Nodes]) -> None:
    for node, foci in affected.items():
        shape = shapes.shapes[node]
        again = {*validator.targets(data, shape), *(f for s, f in kept if s == node)} if foci is None else foci
        for focus in again:
            kept.pop((node, focus), None)
            found = _told(validator.check(data, node, [focus])) if validator.is_target(data, shape, focus) else []
            if found:
                kept[node, focus] = found


def _read(shapes: Shapes, changed: set[Triple]) -> set[Triple]:
    """Those of the triples that can matter."""
    wanted = read_predicates(shapes)
    return {triple for triple in changed if wanted is None or triple[1] in wanted}


def _steps(chance: random.Random) -> Iterator[tuple[set[Triple], set[Triple], set[Triple]]]:
    """(what there is after it, what was added, what was removed) of one change after the other."""
    triples = {_triple(chance) for _ in range(chance.randint(0, 25))}
    yield triples, triples, set()
    for _ in range(10):
        added = {_triple(chance) for _ in range(chance.randint(0, 3))} - triples
        gone = {each for each in triples if chance.random() < 0.08}
        triples = (triples | added) - gone
        yield triples, added, gone


@pytest.mark.parametrize("exact", [True, False], ids=["before known", "before not known"])
@pytest.mark.parametrize("part", range(10))
def test_results_kept_up_to_date_equal_those_made_anew(part: int, exact: bool) -> None:
    found = spared = 0
    for seed in range(part * 30, part * 30 + 30):
        chance = random.Random(seed)
        shapes = _Shaper(chance).made()
        validator = Validator(shapes)
        affected = Affected(shapes, validator)
        before = Graph()
        kept = _whole(shapes, validator, before)
        for triples, added, gone in _steps(chance):
            after = _graph(triples)
            if exact:
                foci = affected.foci(_read(shapes, added), _read(shapes, gone), after, before)
            else:  # more is named than changed
                more = {each for each in triples if chance.random() < 0.1}
                never = {_triple(chance) for _ in range(2)} - triples
                foci = affected.foci(added | more, gone | never, after)
            _keep(kept, shapes, validator, after, foci)
            whole = _whole(shapes, validator, after)
            assert kept == whole, f"seed {seed}"
            found += sum(map(len, whole.values()))
            spared += sum(
                len(foci[s] or ()) < len([*validator.targets(after, shapes.shapes[s])])
                for s in foci
                if foci[s] is not None
            )
            before = after
    assert found > 500
    assert spared > 100


def _spared(shapes: str, quads: str, added: Triple) -> dict[str, Nodes]:
    """What a triple affects that is added to some, by shapes in Turtle with the usual prefixes."""
    read_shapes = read(parsed(f"@prefix ex: <{EX}> . @prefix sh: <{sh('')[1:-1]}> . {shapes}".encode()))
    before, after = Graph.read(quads.encode()), Graph.read(quads.encode())
    after.add(*added)
    return Affected(read_shapes, Validator(read_shapes)).foci([added], [], after, before)


_HUB = (
    "".join(f"{ex(f'run{n}')} {ex('agent')} {ex('hub')} .\n" for n in range(50)) + f"{ex('hub')} {TYPE} {ex('A')} .\n"
)


def test_what_many_point_to_costs_nothing_where_it_says_the_same() -> None:
    shapes = """ex:s sh:targetSubjectsOf ex:agent ; sh:property [ sh:path ex:agent ; sh:class ex:A ;
        sh:node [ sh:property [ sh:path ex:name ; sh:maxCount 1 ] ] ] ."""
    kind = f"{ex('Other')} {SUB_CLASS_OF} {ex('A')} .\n"
    assert _spared(shapes, _HUB + kind, (ex("hub"), TYPE, ex("Other"))) == {}
    assert _spared(shapes, _HUB, (ex("hub"), ex("name"), '"name"')) == {}
    assert _spared(shapes, _HUB, (ex("new"), ex("agent"), ex("hub"))) == {ex("s"): {ex("new")}}
    second = _HUB + f'{ex("hub")} {ex("name")} "name" .\n'
    assert len(_spared(shapes, second, (ex("hub"), ex("name"), '"another"'))[ex("s")] or ()) == 50


class _Asked(Validator):
    """A validator that notes what it is asked to check."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(shapes)
        self.foci: list[str] = []

    def check(self, data: Data, shape: str, foci: Iterable[str]) -> list[ValidationResult]:
        asked = [*foci]
        self.foci += asked
        return super().check(data, shape, asked)


def test_what_is_new_is_not_held_against_the_state_before() -> None:
    shapes = read(
        parsed(
            f"""@prefix ex: <{EX}> . @prefix sh: <{sh("")[1:-1]}> .
            ex:s sh:targetSubjectsOf ex:agent ; sh:property [ sh:path ex:agent ;
              sh:node [ sh:property [ sh:path ex:name ; sh:maxCount 1 ] ] ] .""".encode()
        )
    )
    added = [(ex(f"new{n}"), ex("agent"), ex(f"agent{n}")) for n in range(9)]
    added += [(ex(node), ex("name"), '"name"') for node in ("hub", *(f"agent{n}" for n in range(9)))]
    before, after, validator = Graph.read(_HUB.encode()), Graph.read(_HUB.encode()), _Asked(shapes)
    for triple in added:
        after.add(*triple)
    found = Affected(shapes, validator).foci(added, [], after, before)
    assert found == {ex("s"): {ex(f"new{n}") for n in range(9)}}
    assert set(validator.foci) == {ex("hub")}


def test_what_many_point_to_is_no_new_target() -> None:
    shapes = "ex:s sh:targetObjectsOf ex:agent ; sh:property [ sh:path ex:name ; sh:minCount 1 ] ."
    assert _spared(shapes, _HUB, (ex("new"), ex("agent"), ex("hub"))) == {}
    assert _spared(shapes, _HUB, (ex("new"), ex("agent"), ex("other"))) == {ex("s"): {ex("other")}}


@pytest.mark.parametrize(
    ("pattern", "added", "found"),
    [
        ("$this ex:agent ?x . ?x ex:name ?y", (ex("other"), ex("name"), '"n"'), set()),
        ("$this ex:agent ?x . ?x ex:name ?y", (ex("hub"), ex("name"), '"n"'), {ex(f"run{n}") for n in range(50)}),
        (
            "$this ex:agent ?x OPTIONAL { ?x ex:name ?y }",
            (ex("hub"), ex("name"), '"n"'),
            {ex(f"run{n}") for n in range(50)},
        ),
        ("$this ex:agent ?x . FILTER NOT EXISTS { $this ex:end ?y }", (ex("run7"), ex("end"), '"n"'), {ex("run7")}),
        ("$this ex:agent ?x . FILTER NOT EXISTS { ?x ex:name ?y }", (ex("new"), ex("agent"), ex("hub")), {ex("new")}),
        (
            "?x ex:agent $this ; ex:role ex:boss OPTIONAL { $this (ex:a|^ex:b)*/ex:c ?z }",
            (ex("u"), ex("role"), ex("x")),
            set(),
        ),
        ("$this ex:agent ?x . FILTER NOT EXISTS { ?y ex:name ?z }", (ex("other"), ex("name"), '"n"'), None),
        ("GRAPH ?g { $this ex:agent ?x }", (ex("other"), ex("unrelated"), '"n"'), None),
    ],
)
def test_a_query_is_followed_from_what_changed_to_the_focus_nodes(
    pattern: str, added: Triple, found: set[str] | None
) -> None:
    declared = f'ex: sh:declare [ sh:prefix "ex" ; sh:namespace "{EX}" ] .'
    query = f'sh:sparql [ sh:prefixes ex: ; sh:select "SELECT $this WHERE {{ {pattern} }}" ]'
    shapes = f"{declared} ex:s sh:targetSubjectsOf ex:agent ; {query} ."
    affected = _spared(shapes, _HUB, added)
    assert affected == ({} if found == set() else {ex("s"): found})
