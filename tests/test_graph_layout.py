"""The layered layout, run in Chromium as the page runs it: pure, deterministic, without overlap, left to right."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import launched, watched
from tests.servers import serving

Pair = tuple[int, int]
Answer = dict[str, Any]
#: What is asked of the module: places, routes, and how long it took (milliseconds, the better of two).
_RUN = """async ([boxes, links]) => {
    const { layout } = await import('/static/graph-layout.js');
    const timed = () => { const from = performance.now(); layout(boxes, links); return performance.now() - from; };
    const took = Math.min(timed(), timed()), found = layout(boxes, links);
    return { ...found, boxes: Object.fromEntries(found.boxes), took };
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with (
        serving(Path(tmp_path_factory.mktemp("layout")) / "data") as server,
        launched() as browser,
        watched(browser, server.url) as seen,
    ):
        yield seen.open("/")


def laid(page: Page, count: int, pairs: list[Pair], heights: dict[int, int] | None = None) -> Answer:
    """A layout of boxes 0, 1, … and links from source to product."""
    boxes = [{"id": str(n), "width": 180, "height": (heights or {}).get(n, 50)} for n in range(count)]
    links = [{"source": str(source), "target": str(target)} for source, target in pairs]
    found: Answer = page.evaluate(_RUN, [boxes, links])
    return found


def sound(found: Answer, count: int, pairs: list[Pair]) -> None:
    """Every number is one, no two boxes meet, links run left to right but for the reversed ones, from box to box."""
    assert len(found["boxes"]) == count
    layers: dict[int, list[Answer]] = defaultdict(list)
    for box in found["boxes"].values():
        assert all(math.isfinite(box[name]) for name in ("x", "y", "width", "height"))
        assert -1e-6 <= box["x"] <= found["width"] - box["width"] + 1e-6
        assert -1e-6 <= box["y"] <= found["height"] - box["height"] + 1e-6
        layers[box["layer"]].append(box)
    for layer in layers.values():
        layer.sort(key=lambda box: float(box["y"]))
        for above, below in itertools.pairwise(layer):
            assert above["y"] + above["height"] + 10 < below["y"]
    edges = sorted(layers)
    for left, right in itertools.pairwise(edges):
        assert max(b["x"] + b["width"] for b in layers[left]) + 30 < min(b["x"] for b in layers[right])
    for (source, target), route in zip(pairs, found["routes"], strict=True):
        assert (route is None) == (source == target)
        if route:
            _joins(found["boxes"][str(source)], found["boxes"][str(target)], route)


def _joins(source: Answer, target: Answer, route: Answer) -> None:
    points = route["points"]
    assert all(map(math.isfinite, points))
    xs = points[::2]
    back = route["reversed"]
    start, end = (source["x"], target["x"] + target["width"]) if back else (source["x"] + source["width"], target["x"])
    assert (xs[0], xs[-1]) == (pytest.approx(start), pytest.approx(end))
    assert xs == sorted(xs, reverse=back)
    assert source["y"] <= points[1] <= source["y"] + source["height"]
    assert target["y"] <= points[-1] <= target["y"] + target["height"]


def drawn(chance: random.Random, count: int) -> list[Pair]:
    """Links of a made-up lineage: each thing of one or two of those not long before it."""
    return [
        (max(0, n - 1 - int(chance.random() * chance.random() * min(n, 40 + count // 20))), n)
        for n in range(1, count)
        for _ in range(2 if chance.random() < 0.4 else 1)
    ]


@pytest.mark.parametrize(
    ("count", "pairs"),
    [
        (0, []),
        (1, []),
        (1, [(0, 0)]),
        (2, [(0, 1), (0, 1)]),
        (2, [(0, 1), (1, 0)]),
        (3, [(0, 1), (1, 2), (2, 0)]),
        (4, [(0, 1), (2, 3)]),
        (6, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 5), (4, 4)]),
        (40, [(0, n) for n in range(1, 40)]),
        (41, [(n, 40) for n in range(40)]),
        (30, [(n, m) for n in range(30) for m in range(30) if n != m]),
    ],
    ids=["none", "one", "itself", "twice", "to and fro", "a ring", "apart", "long", "a fan", "a sink", "everything"],
)
def test_small_graphs(page: Page, count: int, pairs: list[Pair]) -> None:
    sound(laid(page, count, pairs), count, pairs)


@pytest.mark.parametrize("seed", range(6))
def test_any_graph(page: Page, seed: int) -> None:
    chance = random.Random(seed)
    count = chance.choice((10, 60, 200))
    pairs = [(chance.randrange(count), chance.randrange(count)) for _ in range(chance.choice((count // 2, 2 * count)))]
    heights = {n: chance.choice((50, 90, 330)) for n in range(count)}
    found = laid(page, count, pairs, heights)
    sound(found, count, pairs)
    assert {n: box["height"] for n, box in found["boxes"].items()} == {str(n): h for n, h in heights.items()}


def test_what_has_no_ring_is_nowhere_reversed(page: Page) -> None:
    pairs = drawn(random.Random(3), 300)
    assert not any(route["reversed"] for route in laid(page, 300, pairs)["routes"])


def test_a_ring_is_broken_at_one_link(page: Page) -> None:
    routes = laid(page, 9, [(n, (n + 1) % 9) for n in range(9)])["routes"]
    assert [route["reversed"] for route in routes].count(True) == 1


def test_a_straight_chain_is_a_straight_line(page: Page) -> None:
    found = laid(page, 12, [(n, n + 1) for n in range(11)])
    assert len({box["y"] for box in found["boxes"].values()}) == 1


def test_a_long_link_passes_no_box(page: Page) -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (0, 3)]
    found = laid(page, 4, pairs)
    points = found["routes"][3]["points"]
    lanes = list(zip(points[2:-2:2], points[3:-2:2], strict=True))
    assert lanes
    for box in (found["boxes"]["1"], found["boxes"]["2"]):
        for x, y in lanes:
            inside = box["x"] <= x <= box["x"] + box["width"] and box["y"] <= y <= box["y"] + box["height"]
            assert not inside


def test_two_of_two_do_not_cross(page: Page) -> None:
    found = laid(page, 4, [(0, 3), (1, 2)])["boxes"]
    assert (found["0"]["y"] < found["1"]["y"]) == (found["3"]["y"] < found["2"]["y"])


def test_links_meet_the_rows_they_are_of(page: Page) -> None:
    boxes = [{"id": "a", "width": 100, "height": 200}, {"id": "b", "width": 100, "height": 120}]
    links = [{"source": "a", "target": "b", "sourceY": 30, "targetY": 110}]
    found = page.evaluate(_RUN, [boxes, links])
    points = found["routes"][0]["points"]
    assert points[1] == pytest.approx(found["boxes"]["a"]["y"] + 30)
    assert points[-1] == pytest.approx(found["boxes"]["b"]["y"] + 110)


def test_a_link_to_nothing_is_not_drawn(page: Page) -> None:
    boxes = [{"id": "a", "width": 100, "height": 50}]
    found = page.evaluate(_RUN, [boxes, [{"source": "a", "target": "b"}]])
    assert found["routes"] == [None]


def test_the_same_graph_is_laid_out_alike(page: Page) -> None:
    pairs = drawn(random.Random(5), 400)
    first, again = laid(page, 400, pairs), laid(page, 400, pairs)
    assert {**first, "took": 0} == {**again, "took": 0}


def test_five_thousand_take_less_than_two_seconds(page: Page) -> None:
    pairs = drawn(random.Random(7), 5_000)
    found = laid(page, 5_000, pairs)
    sound(found, 5_000, pairs)
    assert found["took"] < 2_000
