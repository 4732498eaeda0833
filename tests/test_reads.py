"""What a run read, as tags: written and read back, split, cut short, and far too long."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.observe.reads import (
    ARTIFACT,
    MOST_TAGS,
    TAG,
    TAG_LENGTH,
    WHEN,
    Read,
    canonical,
    parse,
    parse_list,
    tags,
)

DIGESTS = st.sampled_from(["", "ab" * 32])
READS = st.builds(
    Read,
    path=st.text(min_size=1, max_size=300),
    url=st.text(max_size=9),
    sha256=DIGESTS,
    md5=DIGESTS,
    size=st.none() | st.integers(0, 1 << 60),
    via=st.sampled_from(["open", "pyarrow"]),
    when=st.sampled_from(WHEN),
    after=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    changed=st.booleans(),
    written=st.booleans(),
    refused=st.text(max_size=20),
    worker=st.booleans(),
)


@given(st.lists(READS, max_size=60))
def test_what_is_written_is_read_back(reads: list[Read]) -> None:
    told = tags(reads, most=1000)
    assert all(len(text) <= TAG_LENGTH and text.isascii() for text in told.values())
    found = parse({**told, "mlflow.user": "scott"})
    assert found is not None
    assert (found.reads, found.count, found.artifact, found.complete) == (tuple(reads), len(reads), "", True)
    assert found.sha256 == hashlib.sha256(canonical(reads).encode()).hexdigest()
    assert parse_list(canonical(reads)) == reads


def test_the_example_of_the_module_is_what_is_written() -> None:
    reads = [
        Read("/data/train.csv", sha256="b9", md5="9a", size=0),
        Read(url="https://example.org/rates.csv", via="urllib", when="during"),
    ]
    assert [*tags(reads)] == [TAG, f"{TAG}.0"]
    assert json.loads(tags(reads)[f"{TAG}.0"]) == [
        {"md5": "9a", "path": "/data/train.csv", "sha256": "b9", "size": 0, "via": "open", "when": "before"},
        {"url": "https://example.org/rates.csv", "via": "urllib", "when": "during"},
    ]


def test_more_than_tags_hold_goes_to_the_artifact() -> None:
    reads = [Read(f"/data/{n:05}.csv", sha256="ab" * 32, md5="cd" * 16, size=n) for n in range(5000)]
    told = tags(reads)
    assert len(told) == MOST_TAGS + 1
    found = parse(told)
    assert found is not None
    assert (found.complete, found.artifact, found.count) == (False, ARTIFACT, 5000)
    assert found.reads == tuple(reads[: len(found.reads)])
    assert len(found.reads) > 400


def test_one_that_no_tag_holds_goes_to_the_artifact() -> None:
    told = tags([Read("/a.csv"), Read("/" + "é" * 4000), Read("/b.csv")])
    found = parse(told)
    assert found is not None
    assert [each.path for each in found.reads] == ["/a.csv", "/b.csv"]
    assert (found.complete, found.artifact) == (False, ARTIFACT)


def test_a_tag_cut_short_or_missing_is_seen() -> None:
    told = tags([Read(f"/data/{n}", size=n) for n in range(200)])
    for broken in ({**told, f"{TAG}.0": told[f"{TAG}.0"][:100]}, {k: v for k, v in told.items() if k != f"{TAG}.1"}):
        found = parse(broken)
        assert found is not None
        assert not found.complete
        assert 0 < len(found.reads) < 200


@pytest.mark.parametrize(
    "head", ["", "x", "[]", "{}", '{"provstore":"reads/2"}', '{"provstore":1}', "[" * 100_000, "null"]
)
def test_what_is_no_list_of_reads_says_nothing(head: str) -> None:
    assert parse({TAG: head, f"{TAG}.0": "[]"}) is None
    assert parse({}) is None


@pytest.mark.parametrize("text", ["", "x", "{}", "[1, null, {}, []]", '[{"path": 1}, {"path": "/a", "when": "never"}]'])
def test_what_is_no_read_is_left_out(text: str) -> None:
    found = parse({TAG: '{"provstore": "reads/1", "count": "x", "tags": 1}', f"{TAG}.0": text})
    assert found is not None
    assert (found.reads, found.complete) == ((), False)


def test_members_of_a_wrong_kind_are_left_out() -> None:
    (read,) = parse_list('[{"path": "/a", "size": true, "after": 3, "changed": 1, "sha256": [], "more": 1}]')
    assert read == Read("/a")
