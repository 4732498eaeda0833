"""Signed notes: what is signed opens, what is touched does not, and keys are read strictly and kept privately."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from provstore.ledger.note import Checkpoint, NoteError, Signer, Verifier

NAME = "log.example/one"


def signer(name: str = NAME, seed: int = 1) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def head(size: int = 7) -> Checkpoint:
    return Checkpoint(NAME, size, bytes(range(32)))


def test_round_trip() -> None:
    note = signer().sign(head())
    assert note.startswith(f"{NAME}\n7\n{base64.b64encode(bytes(range(32))).decode()}\n\n\u2014 {NAME} ")
    assert signer().verifier.open(note) == head()
    assert Verifier.parse(signer().verifier.vkey()).open(note) == head()


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_any_checkpoint_opens_as_it_was_signed(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(NAME, size, root)
    assert signer().verifier.open(signer().sign(checkpoint)) == checkpoint


def test_the_key_of_go_sumdb_is_read() -> None:
    # https://go.dev/ref/mod#checksum-database: a key that others made, with a '+' in its base64
    vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert Verifier.parse(vkey).vkey() == vkey


def test_every_changed_character_is_refused() -> None:
    note = signer().sign(head())
    for i, held in enumerate(note):
        for other in {chr(ord(held) ^ 1), "A", "\n", " ", "\u2014"} - {held}:
            changed = note[:i] + other + note[i + 1 :]
            with pytest.raises(NoteError):
                signer().verifier.open(changed)


@pytest.mark.parametrize(
    "tail", ["\n", " ", "x\n", "\u2014 name\n", "\u2014 name AAA\n", "\u2014 name AAAA\n", "- n AAAAAAAA\n"]
)
def test_a_line_after_the_signature_that_is_none_is_refused(tail: str) -> None:
    with pytest.raises(NoteError):
        signer().verifier.open(signer().sign(head()) + tail)


def test_every_cut_is_refused() -> None:
    note = signer().sign(head())
    for end in range(len(note)):
        with pytest.raises(NoteError):
            signer().verifier.open(note[:end])


def test_signatures_of_others_are_passed_over() -> None:
    mine, cosigner, namesake = signer(), signer("witness.example/w", 2), signer(NAME, 3)
    note = mine.sign(head())
    others = [each.sign(head()).split("\n\n")[1] for each in (cosigner, namesake)]
    for arranged in (note + "".join(others), note.replace("\n\n", "\n\n" + "".join(others))):
        assert mine.verifier.open(arranged) == head()
        assert namesake.verifier.open(arranged) == head()
    with pytest.raises(NoteError, match="bears no signature"):
        mine.verifier.open(namesake.sign(head()))


def test_a_true_signature_under_another_name_is_refused() -> None:
    note = signer().sign(head())
    with pytest.raises(NoteError, match="bears no signature"):
        signer("log.example/two").verifier.open(note)


@pytest.mark.parametrize(
    ("checkpoint", "wanted"),
    [
        (Checkpoint("log.example/two", 7, bytes(32)), "is one of"),
        (Checkpoint(NAME, 7, bytes(31)), "canonical"),
        (Checkpoint(NAME, -7, bytes(32)), "three lines"),
        (Checkpoint(NAME, 10**30, bytes(32)), "three lines"),
        (Checkpoint(f"{NAME}\nmore", 7, bytes(32)), "three lines"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(checkpoint: Checkpoint, wanted: str) -> None:
    with pytest.raises(NoteError, match=wanted):
        signer().verifier.open(signer().sign(checkpoint))


def test_sizes_are_written_in_one_way() -> None:
    for size in ("07", "+7", "\u0667", "7 ", "7_0", ""):
        text = head().body().replace("\n7\n", f"\n{size}\n")
        body = type("Body", (), {"body": lambda self, text=text: text})()
        with pytest.raises(NoteError):
            signer().verifier.open(signer().sign(body))


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "+",
        "++",
        NAME,
        f"{NAME}+00000000",
        signer().verifier.vkey().replace("+", " ", 1),
        signer().verifier.vkey()[:-4],
        signer().verifier.vkey() + "AAAA",
        f"{NAME}+00000000+{base64.b64encode(bytes([1, *range(32)])).decode()}",  # another key's id
        f"{NAME}+00000000+{base64.b64encode(bytes([4, *range(32)])).decode()}",  # a type that is not Ed25519
        Verifier("two words", bytes(32)).vkey(),
        Verifier("", bytes(32)).vkey(),
        Verifier("line\nfeed", bytes(32)).vkey(),
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(vkey)


@given(st.text())
def test_garbage_is_refused_as_such(text: str) -> None:
    for reader in (Verifier.parse, signer().verifier.open):
        with pytest.raises(NoteError):
            reader(text)
    with pytest.raises(NoteError):
        signer().verifier.open(signer().sign(head()) + text if text else "")


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        made = Signer.create(NAME, path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Signer.load(NAME, path).verifier == made.verifier
    with pytest.raises(FileExistsError):
        Signer.create(NAME, path)
    for mode in (0o640, 0o604, 0o602, 0o660):
        path.chmod(mode)
        with pytest.raises(NoteError, match="chmod 600"):
            Signer.load(NAME, path)


@pytest.mark.parametrize(
    "held", [b"", b"\xff\xfe", b"AAAA", base64.b64encode(bytes(33)), b"-----BEGIN PRIVATE KEY-----"]
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(held)
    path.chmod(0o600)
    with pytest.raises(NoteError, match="no Ed25519 private key"):
        Signer.load(NAME, path)
