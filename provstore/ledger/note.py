"""Checkpoints as C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), signed with Ed25519."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"  # signed-note: the signature type of an Ed25519 log key
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]+")  # signed-note: no Unicode space, no plus sign


class NoteError(ValueError):
    """The text is no signed note, or none that the given key signed; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log's origin, its number of leaves, its 32-byte root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed: three lines, each ended by a line feed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A name and a public key: what checks that a note was signed by that name."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """From the form `name+keyid+base64(type ‖ key)`; NoteError where it is not that."""
        try:
            name, keyid, encoded = vkey.strip().split("+", 2)  # base64 may hold a '+'
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise NoteError("a verifier key has the form name+keyid+base64") from error
        found = cls(name, raw[1:])
        if not _NAME.fullmatch(name):
            raise NoteError("the name of a verifier key holds no space, no '+' and no control character")
        if raw[:1] != _ED25519 or len(raw) != 33 or found.keyid.hex() != keyid:
            raise NoteError("the verifier key is not an Ed25519 key with its own key id")
        return found

    @property
    def keyid(self) -> bytes:
        """The four bytes that stand before a signature of this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def vkey(self) -> str:
        """The text form that `parse` reads."""
        return f"{self.name}+{self.keyid.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that this key signed; NoteError otherwise. Other signatures are passed over."""
        body, gap, signatures = note.partition("\n\n")
        if not gap or not signatures.endswith("\n"):
            raise NoteError("a signed note is a text, an empty line and signature lines, each ended by a line feed")
        text = body + "\n"
        for name, raw in [_signature(line) for line in signatures[:-1].split("\n")]:
            if name == self.name and raw[:4] == self.keyid:
                try:
                    Ed25519PublicKey.from_public_bytes(self.key).verify(raw[4:], text.encode())
                except (InvalidSignature, UnicodeEncodeError) as error:
                    raise NoteError(f"the signature of {self.name} does not fit the note") from error
                return _checkpoint(self.name, text)
        raise NoteError(f"the note bears no signature of {self.name}")


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("a signature line holds base64") from error
    if dash != "\u2014" or not name or len(raw) < 5:
        raise NoteError("a signature line is '— name base64'")
    return name, raw


def _checkpoint(origin: str, text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or not re.fullmatch("[0-9]{1,19}", lines[1]):
        raise NoteError("a checkpoint is three lines: origin, size, root")
    if lines[0] != origin:
        raise NoteError(f"the checkpoint is one of {lines[0]!r}, not of {origin}")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("the root of a checkpoint is base64") from error
    checkpoint = Checkpoint(origin, int(lines[1]), root)
    if len(root) != 32 or checkpoint.body() != text:
        raise NoteError("the checkpoint is not in canonical form")
    return checkpoint


def size_of(note: str) -> int:
    """The size in a checkpoint whoever signed it; NoteError where the text is none."""
    lines = note.split("\n")
    if len(lines) < 4:
        raise NoteError("a checkpoint is three lines: origin, size, root")
    return _checkpoint(lines[0], "\n".join([*lines[:3], ""])).size


class Signer:
    """The log's private key; the file that holds it is readable by its owner alone."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.verifier = Verifier(name, private.public_key().public_bytes_raw())

    @classmethod
    def create(cls, name: str, path: Path) -> Signer:
        """Make a key and its file (mode 0600, synced, never overwriting one)."""
        private = Ed25519PrivateKey.generate()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            os.write(descriptor, base64.b64encode(private.private_bytes_raw()) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return cls(name, private)

    @classmethod
    def load(cls, name: str, path: Path) -> Signer:
        """The key in a file; NoteError where it holds none, or others could read it."""
        if path.stat().st_mode & 0o077:
            raise NoteError(f"{path} can be read by others: chmod 600 it")
        try:
            return cls(
                name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes().strip(), validate=True))
            )
        except (ValueError, binascii.Error) as error:
            raise NoteError(f"{path} holds no Ed25519 private key") from error

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a note with this key's signature."""
        return self._note(checkpoint.body())

    def attest(self, what: str, *lines: str) -> str:
        """A note over lines under a first line `name/what`, by which nobody can take it for a checkpoint."""
        return self._note("".join(f"{line}\n" for line in (f"{self.verifier.name}/{what}", *lines)))

    def _note(self, body: str) -> str:
        raw = self.verifier.keyid + self._private.sign(body.encode())
        return f"{body}\n\u2014 {self.verifier.name} {base64.b64encode(raw).decode()}\n"
