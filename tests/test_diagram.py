"""The class diagram of a profile: what it says, and that nothing in it overlaps or leaves the picture."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.ui.diagram import Diagram, Drawn, diagram
from provstore.validation.described import described
from provstore.validation.profiles import SHIPPED, Box, Row
from tests.test_profiles import HEAD, published


def apart(one: Drawn, other: Drawn) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def sound(picture: Diagram) -> None:
    """Nothing overlaps, nothing lies outside, each text fits its box, each line ends at two boxes."""
    assert all(apart(one, other) for one, other in itertools.combinations(picture.boxes, 2))
    for box in picture.boxes:
        assert 0 <= box.x <= box.x + box.width <= picture.width
        assert 0 <= box.y <= box.y + box.height <= picture.height
        assert all(0 < y <= box.height for y in [*(y for y, _ in box.titles), *(line.y for line in box.lines)])
        assert all(len(line.text) * 6 < box.width for line in box.lines)
    edges = {x for box in picture.boxes for x in (round(box.x, 1), round(box.x + box.width, 1))}
    for arrow in picture.arrows:
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", arrow.way)]
        assert {numbers[0], numbers[-2]} <= edges


@pytest.mark.parametrize("version", [v.token for name in SHIPPED.names() for v in SHIPPED.versions(name)])
def test_what_ships_can_be_drawn(version: str) -> None:
    profile = described(SHIPPED.find(version), SHIPPED)
    picture = diagram(profile.boxes)
    sound(picture)
    assert picture.boxes
    assert picture.width < 1400
    rules = {line.rule for box in picture.boxes for line in box.lines}
    assert rules <= {rule.shape for rule in profile.rules}


def test_classes_their_properties_and_relations(tmp_path: Path) -> None:
    registry = published(
        tmp_path,
        x_1=HEAD
        + """
        :a a sh:PropertyShape ; sh:targetClass ps:Decision ; sh:path prov:wasAttributedTo ; sh:class prov:Agent ;
            sh:minCount 1 ; sh:maxCount 1 .
        :b a sh:NodeShape ; sh:targetClass prov:Agent ; sh:property [ sh:path rdfs:label ; sh:datatype xsd:string ] .
        :c a sh:PropertyShape ; sh:targetClass ps:Decision ; sh:path prov:wasDerivedFrom ;
            sh:qualifiedValueShape [ sh:class ps:Prediction ] ; sh:qualifiedMinCount 2 .
        :d a sh:PropertyShape ; sh:targetSubjectsOf prov:used ; sh:path prov:used ; sh:maxCount 0 .
        :e a sh:PropertyShape ; sh:targetClass ps:Decision ; sh:path prov:wasAttributedTo ; sh:nodeKind sh:IRI .
        """,
    )
    profile = described(registry.find("x"), registry)
    rows = {(box.titles, row.path): (row.count, row.kind) for box in profile.boxes for row in box.rows}
    assert rows == {
        (("ps:Decision",), "prov:wasAttributedTo"): ("1", "prov:Agent; IRI"),
        (("ps:Decision",), "prov:wasDerivedFrom"): ("2..*", "ps:Prediction"),
        (("prov:Agent",), "rdfs:label"): ("*", "xsd:string"),
        (("has prov:used",), "prov:used"): ("0", ""),
    }
    picture = diagram(profile.boxes)
    sound(picture)
    assert [arrow.says for arrow in picture.arrows] == ["prov:wasAttributedTo 1"]
    decision, agent = (
        next(b for b in picture.boxes if b.titles[0][1] == name) for name in ("ps:Decision", "prov:Agent")
    )
    assert decision.x + decision.width < agent.x
    assert "prov:Agent: rdfs:label, *: xsd:string." in picture.sentences


def test_a_name_without_a_prefix_is_its_last_part_and_in_full_beside() -> None:
    row = Row("<https://x.example/terms#has>", 0, 1, "<urn:y:Thing>", (), "urn:rule")
    (box,) = diagram([Box(("<https://x.example/terms/Thing>",), (), (row,))]).boxes
    assert (box.titles[0][1], box.lines[0].text) == ("Thing", "has: Thing")
    assert box.lines[0].full == "<https://x.example/terms#has>, 0..1: <urn:y:Thing>"


def test_nothing_is_an_empty_picture() -> None:
    assert diagram(()).boxes == ()


_names = st.text("ab:/\u0645<&", min_size=1, max_size=80)
_rows = st.builds(
    Row,
    _names,
    st.integers(0, 3),
    st.none() | st.integers(3, 5),
    _names,
    st.lists(_names, max_size=2).map(tuple),
    _names,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.lists(_names, min_size=1, max_size=6, unique=True), st.lists(_rows, max_size=5)), max_size=12)
)
def test_any_boxes_can_be_drawn(given_boxes: list[tuple[list[str], list[Row]]]) -> None:
    boxes = [Box(tuple(titles), tuple(titles), tuple(rows)) for titles, rows in given_boxes]
    sound(diagram(boxes))
