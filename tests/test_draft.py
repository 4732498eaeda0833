"""A record being written from JSON: what is read tolerantly, what is refused, and what stands in it then."""

from __future__ import annotations

from hashlib import md5, sha256

import pytest

from provstore import iris
from provstore.capture import formats
from provstore.capture.draft import RECORD, Draft
from provstore.errors import Unmappable
from provstore.vocab import AI, PROV, PS

BASE = "https://prov.example"


def _draft(**value: object) -> Draft:
    return Draft(BASE, dict(value), "test/1")


def _said(draft: Draft) -> str:
    return draft.mapped().quads.decode()


def test_formats_share_neither_names_nor_media_types() -> None:
    names = [form.name for form in formats.FORMATS]
    media_types = [each for form in formats.FORMATS for each in form.media_types]
    assert len(set(names)) == len(names)
    assert len(set(media_types)) == len(media_types)


def test_a_payload_that_nobody_else_recognises_is_taken_for_openlineage() -> None:
    assert formats.of_payload({"provstore": "unheard/1"}).name == "openlineage"


def test_what_is_no_text_is_reported_and_left_out() -> None:
    draft = _draft(a="x", b=3, c=["y"], d="", e=None)
    found = [draft.words(draft.value, each) for each in "abcde"]
    assert found == ["x", "3", None, None, None]
    assert [each.pointer for each in draft.mapped().liberties] == ["/c"]


def test_what_cannot_be_done_without_is_refused_with_its_place() -> None:
    with pytest.raises(Unmappable, match="'name' must be a non-empty string, got an empty string") as caught:
        _draft(name="").text({"name": ""}, "name", "/inputs/0")
    assert caught.value.pointer == "/inputs/0/name"


@pytest.mark.parametrize(
    ("sent", "lexical"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.250+01:00", "2026-01-02T02:04:05.25Z"),
        (1_767_323_045_250, "2026-01-02T03:04:05.25Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_instants_come_as_text_or_as_milliseconds(sent: object, lexical: str) -> None:
    draft = _draft(t=sent)
    assert draft.instant(draft.value, "t") == f'"{lexical}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    assert not draft.liberties


@pytest.mark.parametrize("sent", ["yesterday", 1e300, True, [], "２０２６-01-01T00:00:00Z"])
def test_what_is_no_instant_is_reported(sent: object) -> None:
    draft = _draft(t=sent)
    assert draft.instant(draft.value, "t") is None
    assert [each.pointer for each in draft.liberties] == ["/t"]


def test_bytes_go_by_every_digest_that_is_known() -> None:
    digests = {"sha256": sha256(b"x").hexdigest(), "md5": md5(b"x").hexdigest().upper()}
    draft = _draft()
    name = draft.content("<urn:x:file>", digests, 1)
    other = f"<{iris.content_bytes(BASE, 'md5', digests['md5'])}>"
    assert name == f"<{iris.content_bytes(BASE, 'sha256', digests['sha256'])}>"
    said = _said(draft)
    for line in (
        f"<urn:x:file> {PS.bytes} {name} ",
        f"{name} {PS.symlink} {other} ",
        f'<urn:x:file> {PS.md5} "{digests["md5"].lower()}" ',
        f'{name} {PS.byteSize} "1"',
    ):
        assert line in said


def test_no_bytes_are_nobodys_content() -> None:
    draft = _draft()
    digests = {"sha256": sha256(b"").hexdigest(), "md5": md5(b"").hexdigest()}
    assert draft.content("<urn:x:file>", digests, 0) is None
    assert PS.bytes not in _said(draft)


def test_a_commit_of_which_nobody_looked_at_the_work_tree_says_nothing_of_it() -> None:
    commit = "a" * 40
    said = {}
    for dirty in (None, False, True):
        draft = _draft()
        draft.code(commit, dirty=dirty, diff="d" * 64 if dirty else "")
        said[dirty] = _said(draft)
    assert PS.dirty not in said[None]
    assert f'<urn:swh:1:rev:{commit}> {PS.dirty} "false"' in said[False]
    assert f"<{BASE}/code/{commit}/{'d' * 64}> {PROV.wasDerivedFrom} <urn:swh:1:rev:{commit}>" in said[True]
    assert _draft().code("v1.2") is None


def test_nodes_do_not_go_by_the_record() -> None:
    """A state that is said again by a record that supersedes the first is the same triples."""
    found = []
    for before in (None, f"{BASE}/record/{'0' * 64}"):
        draft = _draft(**({"supersedes": before} if before else {}))
        draft.state_of("tool http://localhost run 1")
        identifier, run = draft.run("60718293a4b5c6d7e8f90a1b1f0e4c5b", PS.TrainingRun)
        state = draft.read(run, identifier, draft.dataset("file", "/data/train.csv"))
        draft.use(run, state, AI.TrainingData)
        draft.parameter(run, "depth", "6")
        draft.associate(run, draft.agent("person", "ana"), self_asserted=True)
        draft.measurement(run, "accuracy", '"0.9"', state)
        assert run == "<urn:uuid:60718293-a4b5-c6d7-e8f9-0a1b1f0e4c5b>"
        mapped = draft.mapped()
        lines = mapped.quads.decode().splitlines()
        graph = f" <{mapped.record}> ."
        found.append({line.removesuffix(graph) for line in lines if not line.startswith(f"<{mapped.record}>")})
    assert found[0] == found[1]


def test_what_is_superseded_must_be_a_record_of_this_store() -> None:
    draft = _draft(supersedes="https://other.example/record/1")
    with pytest.raises(Unmappable, match="'supersedes' must be the IRI of a record of this store"):
        draft.state_of("key")


def test_the_record_is_typed_and_names_what_was_taken_out() -> None:
    draft = _draft(redacted=["/a/b", 3])
    mapped = draft.mapped()
    assert RECORD not in mapped.quads.decode()
    assert f'<{mapped.record}> {PS.redacted} "/a/b"' in mapped.quads.decode()
