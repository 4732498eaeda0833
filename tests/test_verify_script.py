"""The verifier that browsers run, against the vectors of RFC 6962 and against the Python that makes the proofs."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page

from provstore.ledger import merkle
from provstore.ledger.note import Checkpoint, NoteError, Signer
from tests import suites
from tests.browser import watched
from tests.servers import Server
from tests.test_merkle import EXCEPTIONS, mutations

#: Cases of `verifyInclusion` and `verifyConsistency` with hashes in base64: what the script says of each.
_DECIDE = """async (cases) => {
  const script = await import("/static/verify.js");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Promise.all(cases.map(([which, one, other, first, proof, second]) => which === "inclusion"
    ? script.verifyInclusion(one, other, bytes(first), proof.map(bytes), bytes(second))
    : script.verifyConsistency(one, other, bytes(first), bytes(second), proof.map(bytes))));
}"""
_OPEN = """async ([notes, vkey]) => {
  const script = await import("/static/verify.js");
  const opened = async (note) => { try {
    const { checkpoint, signed } = await script.openNote(note, await script.parseKey(vkey));
    return signed ? [String(checkpoint.size), script.hex(checkpoint.root)] : null;
  } catch (error) {
    if (error instanceof script.Refused) return null;
    throw error;
  } };
  return Promise.all(notes.map(opened));
}"""

Case = tuple[str, str, str, str, list[str], str]


@pytest.fixture
def page(demo: Server, browser: Browser) -> Iterator[Page]:
    with watched(browser, demo.url) as seen:
        yield seen.open("/ns")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _case(which: str, one: int, other: int, first: bytes, proof: list[bytes], second: bytes) -> Case:
    return which, str(one), str(other), _text(first), [_text(each) for each in proof], _text(second)


def test_vectors(page: Page) -> None:
    home = suites.path("merkle-vectors") / "testdata"
    paths = sorted([*home.glob("inclusion/**/*.json"), *home.glob("consistency/**/*.json")])
    given: list[Any] = []
    wanted: list[bool] = []
    for path in paths:
        case = json.loads(path.read_text())
        proof = case["proof"] or []
        if "leafIdx" in case:
            hashes = (case["leafHash"] or "", proof, case["root"] or "")
            given.append(["inclusion", str(case["leafIdx"]), str(case["treeSize"]), *hashes])
        else:
            hashes = (case["root1"] or "", proof, case["root2"] or "")
            given.append(["consistency", str(case["size1"]), str(case["size2"]), *hashes])
        wanted.append(not case["wantErr"])
    found = page.evaluate(_DECIDE, given)
    assert len(found) == 196
    differ = {str(p.relative_to(home)) for p, good, want in zip(paths, found, wanted, strict=True) if good != want}
    assert differ == EXCEPTIONS


def test_trees_made_here(page: Page) -> None:
    chance = random.Random(6962)
    cases: list[Case] = []
    wanted: list[bool] = []
    for size in (*range(1, 12), 64, 65, *(chance.randrange(66, 900) for _ in range(4))):
        nodes: dict[tuple[int, int], bytes] = {}
        get = lambda level, n, nodes=nodes: nodes[level, n]  # noqa: E731
        for index in range(size):
            leaf = merkle.leaf_hash(chance.randbytes(30))
            nodes |= {(level, n): held for level, n, held in merkle.new_nodes(index, leaf, get)}
        index, old = chance.randrange(size), chance.randrange(size + 1)
        root, before = merkle.root(size, get), merkle.root(old, get)
        path, proof = merkle.inclusion_proof(index, size, get), merkle.consistency_proof(old, size, get)
        for held in (path, *mutations(path)):
            cases.append(_case("inclusion", index, size, nodes[0, index], held, root))
            wanted.append(merkle.verify_inclusion(index, size, nodes[0, index], held, root))
        for held in (proof, *mutations(proof)):
            cases.append(_case("consistency", old, size, before, held, root))
            wanted.append(merkle.verify_consistency(old, size, before, root, held))
        for other in (index + 1, index ^ 1, size):
            cases.append(_case("inclusion", other, size, nodes[0, index], path, root))
            wanted.append(merkle.verify_inclusion(other, size, nodes[0, index], path, root))
    assert page.evaluate(_DECIDE, cases) == wanted
    assert 30 < sum(wanted) < len(wanted) / 10


def test_sizes_beyond_what_a_double_holds(page: Page) -> None:
    leaf = merkle.leaf_hash(b"x")
    proof = [merkle.leaf_hash(bytes([n])) for n in range(62)]
    held = leaf
    for step in proof:  # the leftmost leaf of a full tree
        held = merkle.node_hash(held, step)
    for index, size in ((0, 2**62), (1, 2**62), (0, 2**62 - 1), (0, 2**61)):
        good = merkle.verify_inclusion(index, size, leaf, proof, held)
        assert page.evaluate(_DECIDE, [_case("inclusion", index, size, leaf, proof, held)]) == [good]


def _python_says(note: str, signer: Signer) -> list[str] | None:
    try:
        found = signer.verifier.open(note)
    except NoteError:
        return None
    return [str(found.size), found.root.hex()]


def test_notes_are_opened_as_python_opens_them(page: Page) -> None:
    signer = Signer("example.org/log", Ed25519PrivateKey.generate())
    other = Signer("example.org/log", Ed25519PrivateKey.generate())
    note = signer.sign(Checkpoint("example.org/log", 7, merkle.leaf_hash(b"root")))
    chance = random.Random(7)
    notes = [
        note,
        note + "\n",
        note[:-1],
        note.replace("\n", "\r\n"),
        note.replace("\n\n", "\n"),
        "",
        "\n\n",
        " " + note,
    ]
    notes += [other.sign(Checkpoint("example.org/log", 7, merkle.leaf_hash(b"root")))]
    notes += [signer.sign(Checkpoint("example.org/other", 7, merkle.leaf_hash(b"root")))]
    notes += [f"{note}— example.org/witness AAAAAAAA\n", note.replace("\n7\n", "\n07\n"), note.replace("— ", "- ")]
    for _ in range(300):
        at = chance.randrange(len(note))
        notes.append(note[:at] + chance.choice("A=+/\n 7z—") + note[at + 1 :])
    found = page.evaluate(_OPEN, [notes, signer.verifier.vkey()])
    assert found[0] == ["7", merkle.leaf_hash(b"root").hex()]
    for each, opened in zip(notes, found, strict=True):
        # the script takes base64 in its canonical form alone
        assert opened == (_python_says(each, signer) if _is_canonical(each) else None), repr(each)


def _is_canonical(note: str) -> bool:
    last = note.rpartition(" ")[2].rstrip("\n")
    try:
        return base64.b64encode(base64.b64decode(last)).decode() == last
    except ValueError:
        return False


@pytest.mark.parametrize(
    "change",
    [
        lambda vkey: vkey.replace("+", "", 1),
        lambda vkey: vkey[:-4] + "AAA=",
        lambda vkey: vkey.partition("+")[0] + "+00000000+" + vkey.split("+", 2)[2],
        lambda vkey: "",
        lambda vkey: vkey.replace("example", "an example"),
    ],
)
def test_a_key_that_is_none_opens_nothing(page: Page, change: Any) -> None:
    signer = Signer("example.org/log", Ed25519PrivateKey.generate())
    note = signer.sign(Checkpoint("example.org/log", 7, merkle.leaf_hash(b"root")))
    assert page.evaluate(_OPEN, [[note], change(signer.verifier.vkey())]) == [None]
