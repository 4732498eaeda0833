"""Rows in arrays and rows beside them: the same walks either way, and the same again from files."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provstore.lineage.adjacency import STANDING, Columns, Half, Long, code, distinct, mask
from provstore.lineage.names import Names

NODES = 60
KINDS = (1, 2, 4)
Raw = list[tuple[int, int, int, int, int]]  # node, other, said, since, until

rows = st.lists(
    st.tuples(
        st.integers(1, NODES),
        st.integers(1, NODES),
        st.builds(code, st.sampled_from(KINDS), st.integers(0, 2)),
        st.integers(0, 5),
        st.sampled_from((3, 6, STANDING, STANDING)),
    ),
    max_size=200,
)


def half_of(raw: Raw, laid: int) -> Half:
    """The first rows in arrays, the others beside them."""
    node, other, said, since, until = (np.array([r[i] for r in raw[:laid]], np.int64) for i in range(5))
    columns = Columns(
        np.arange(laid, dtype=np.int32),
        node.astype(np.int32),
        said.astype(np.uint8),
        other,
        since.astype(np.int32),
        until.astype(np.int32),
    )
    most = int(max(node.max(), other.max())) if laid else 0
    half = Half.laid(node.astype(np.int32), other.astype(np.int32), columns, most)
    for number, (n, *rest) in enumerate(raw[laid:], laid):
        half.add(n, (rest[0], rest[1], rest[2], rest[3], number))
    return half


def reached(raw: Raw, start: set[int], kinds: tuple[int, ...], at: int, depth: int | None) -> dict[int, int]:
    """What is reached by one step or more."""
    found, layer, steps = dict[int, int](), set(start), 0
    while layer and (depth is None or steps < depth):
        steps += 1
        layer = {o for n, o, s, a, z in raw if n in layer and s & 63 in kinds and a <= at < z} - found.keys()
        found.update(dict.fromkeys(layer, steps))
    return found


@settings(deadline=None)
@given(rows, st.data())
def test_a_closure_is_what_one_step_after_another_reaches(raw: Raw, data: st.DataObject) -> None:
    half = half_of(raw, data.draw(st.integers(0, len(raw))))
    start = data.draw(st.sets(st.integers(1, NODES), min_size=1, max_size=50))
    kinds = data.draw(st.sampled_from(((1,), (1, 2), KINDS)))
    at, depth = data.draw(st.integers(0, 7)), data.draw(st.sampled_from((None, 1, 2)))
    newest = at >= max((each[3] for each in raw), default=0) and all(u == STANDING or u <= at for *_, u in raw)
    nodes, steps = half.closure(start, mask(kinds), at, NODES, newest=newest, depth=depth)
    expected = reached(raw, start, kinds, at, depth)
    assert dict(zip(nodes.tolist(), steps.tolist(), strict=True)) == expected
    assert list(zip(steps.tolist(), nodes.tolist(), strict=True)) == sorted((d, n) for n, d in expected.items())


@settings(deadline=None)
@given(rows, st.data())
def test_rows_that_stop_are_not_followed(raw: Raw, data: st.DataObject) -> None:
    half = half_of(raw, data.draw(st.integers(0, len(raw))))
    standing = [number for number, each in enumerate(raw) if each[4] == STANDING]
    stopped = data.draw(st.sets(st.sampled_from(standing))) if standing else set()
    for number in stopped:
        half.close(raw[number][0], number, 6)
    now = [(*r[:4], 6) if number in stopped else r for number, r in enumerate(raw)]
    for newest in (True, False):
        nodes, _ = half.closure({1, 2, 3}, mask(KINDS), 7, NODES, newest=newest)
        assert set(nodes.tolist()) == reached(now, {1, 2, 3}, KINDS, 7, None).keys()


def test_a_long_chain_and_a_wide_fan_are_walked_whole() -> None:
    chain: Raw = [(n, n + 1, 1, 0, STANDING) for n in range(1, 30_000)]
    nodes, steps = half_of(chain, len(chain)).closure({1}, mask((1,)), 0, 30_000)
    assert len(nodes) == 29_999
    assert steps[-1] == 29_999
    fan: Raw = [(1, n, 1, 0, STANDING) for n in range(2, 30_000)] + [(n, 30_000, 1, 0, STANDING) for n in range(2, 99)]
    nodes, steps = half_of(fan, len(fan)).closure({1}, mask((1,)), 0, 30_000)
    assert len(nodes) == 29_999
    assert steps[-1] == 2


def test_keep_leaves_out_nodes_and_what_lies_behind_them() -> None:
    chain: Raw = [(n, n + 1, 1, 0, STANDING) for n in range(1, 10)]
    nodes, _ = half_of(chain, len(chain)).closure({1}, mask((1,)), 0, 10, keep=lambda ns: ns != 5)
    assert nodes.tolist() == [2, 3, 4]
    fan: Raw = [(n, n + 100, 1, 0, STANDING) for n in range(1, 100)]
    nodes, _ = half_of(fan, len(fan)).closure(range(1, 100), mask((1,)), 0, 200, keep=lambda ns: ns % 2 == 0)
    assert nodes.tolist() == [*range(102, 200, 2)]


def test_a_brief_walk_gives_up_where_it_would_take_long() -> None:
    chain: Raw = [(n, n + 1, 1, 0, STANDING) for n in range(1, 5_000)]
    fan: Raw = [(1, n, 1, 0, STANDING) for n in range(2, 2_000)] + [(n, 1, 1, 0, STANDING) for n in range(2, 2_000)]
    for raw in (chain, fan):
        half = half_of(raw, len(raw))
        with pytest.raises(Long):
            half.closure({1}, mask((1,)), 0, 5_000, brief=True)
    assert len(half_of(chain, len(chain)).closure({1}, mask((1,)), 0, 5_000, brief=True, depth=5)[0]) == 5


def test_saved_and_opened_it_is_the_same(tmp_path: Path) -> None:
    chance = random.Random(1)
    raw: Raw = [(chance.randint(1, NODES), chance.randint(1, NODES), 1, 0, STANDING) for _ in range(150)]
    half = half_of(raw, len(raw))
    half.close(raw[7][0], 7, 3)
    half.save(tmp_path / "half")
    again = Half.opened(tmp_path / "half")
    for node in range(NODES + 2):
        assert list(again.rows(node)) == list(half.rows(node))
    again.close(raw[8][0], 8, 4)  # in memory only
    assert [u for *_, u, row in Half.opened(tmp_path / "half").rows(raw[8][0]) if row == 8] == [STANDING]


def test_distinct_sorts_and_says_each_once() -> None:
    assert distinct(np.array([3, 1, 3, 2, 1], np.int32)).tolist() == [1, 2, 3]
    assert distinct(np.array([], np.int32)).tolist() == []


@pytest.mark.parametrize("relation", [1, 2, 43])
@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_mask_picks_a_relation_whoever_says_it(relation: int, status: int) -> None:
    assert mask((relation,))[code(relation, status)] == 1
    assert mask((relation + 1,))[code(relation, status)] == 0


def test_names_of_many_nodes_are_laid_as_they_come() -> None:
    names, last = Names(), 450_001
    names.add((number, f"urn:{number}") for number in range(1, last + 1) if number != 7)
    assert (names.last, names.laid) == (last, 400_001)
    assert [names[number] for number in (1, 7, 8, 200_001, last)] == ["urn:1", "", "urn:8", "urn:200001", f"urn:{last}"]
    names.lay()
    assert names[last] == f"urn:{last}"
