"""Verify a provstore package on any machine: this one file, Python 3.9 or newer, and the package `cryptography`.

    python verify.py [PACKAGE] [--key KEY] [--checkpoint KEPT [--proof FILE]] [--trust PEM]…

PACKAGE is a ZIP file or a directory (the one that holds this file, where none is named). Everything is recomputed:
every byte of the archive, the signature of the ledger's key over the manifest and so over each file, that each entry
stands in the tree of the signed checkpoint, and that payload and statements are what the entry commits to.

VERIFIED     all of it holds, and it extends the checkpoint that you kept (--checkpoint)
UNWITNESSED  all of it holds, but nothing from outside was compared that could show a rewritten ledger
FAILED       something does not fit; each finding says where and what

With --trust, it is told beside of each in-toto statement whether one of these public keys signed it.

Exit code 0, or 1 where it failed, or 2 where it could not be done, such as comparing the kept checkpoint.
A copy of this file that came with a package is as trustworthy as who sent it: take it from provstore itself, or compare
its SHA-256 with the one in provstore's documentation.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("verify.py needs the package 'cryptography': python -m pip install cryptography", file=sys.stderr)
    sys.exit(2)

FORMAT = "provstore.package/1"
LEAF = "provstore.leaf/1"
_MOST = 1 << 30  # bytes of a file that is read whole
_CHUNK = 1 << 20
_SHOWN = 100  # findings that are told one by one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,4}")
_KEY_NAME = re.compile(r"[!-*,-~]{1,255}")  # no '+', no space, and nothing that a terminal would obey
_HASH = re.compile(r"[0-9a-f]{64}")
_PLACEHOLDER = "urn:provstore:record"  # stands for the record's own IRI while its statements are digested

Progress = Callable[[int, int], None]


class Refused(Exception):
    """Something does not fit."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}" if where else what)


class Impossible(Exception):
    """The verification cannot be done; this says nothing about the package."""


@dataclass(frozen=True)
class Report:
    """The outcome: what does not fit, what to know beside the verdict, and the verdict's own line."""

    findings: Sequence[str]
    notes: Sequence[str]
    status: str
    code: int

    @property
    def ok(self) -> bool:
        return not self.findings

    def lines(self) -> list[str]:
        more = len(self.findings) - _SHOWN
        return [*self.findings[:_SHOWN], *([f"… and {more} more"] if more > 0 else []), *self.notes, self.status]


# --- the archive: a ZIP file of stored members, of which every byte follows from names and contents ----------------

_4, _2 = 0xFFFFFFFF, 0xFFFF  # what stands where a number is in a ZIP64 field instead (APPNOTE.TXT §4.4.1.4)
_DATE = 0x0021  # 1980-01-01, and midnight: the earliest that the format can say
_MODE = (stat.S_IFREG | 0o644) << 16


def _wide(numbers: Sequence[int]) -> bytes:
    """The ZIP64 extra field for numbers of which some do not fit (APPNOTE.TXT §4.5.3)."""
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""


def member_header(name: str, crc: int, size: int) -> bytes:
    """What stands before a member's bytes."""
    extra = _wide([size, size] if size >= _4 else [])
    shown, version = min(size, _4), 45 if extra else 10
    sizes = (crc, shown, shown, len(name), len(extra))
    return struct.pack("<IHHHHHIIIHH", 0x04034B50, version, 0, 0, 0, _DATE, *sizes) + name.encode() + extra


def directory_entry(name: str, crc: int, size: int, offset: int) -> bytes:
    """A member's entry in the central directory."""
    extra = _wide([*([size, size] if size >= _4 else []), *([offset] if offset >= _4 else [])])
    shown, version = min(size, _4), 45 if extra else 10
    head = (0x02014B50, 0x0300 | version, version, 0, 0, 0, _DATE, crc, shown, shown, len(name), len(extra))
    return struct.pack("<IHHHHHHIIIHHHHHII", *head, 0, 0, 0, _MODE, min(offset, _4)) + name.encode() + extra


def directory_end(count: int, size: int, offset: int) -> bytes:
    """What stands after the central directory, to the end of the file."""
    wide = b""
    if count >= _2 or size >= _4 or offset >= _4:
        wide = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 0x032D, 45, 0, 0, count, count, size, offset)
        wide += struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1)
    shown = (min(count, _2), min(count, _2), min(size, _4), min(offset, _4))
    return wide + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, *shown, 0)


class Archive:
    """The members of a package in a ZIP file; Refused where any byte of its structure is not as it must be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = file.seek(0, os.SEEK_END)
        self.sizes: dict[str, int] = {}  # in the order of the archive
        self._places: dict[str, tuple[int, int]] = {}  # where a member's bytes begin, and their CRC-32
        offset, size, count = self._directory()
        self._walk(self._at(offset, size), count, offset)

    def _at(self, offset: int, size: int) -> bytes:
        if not (offset >= 0 and 0 <= size <= _MOST and offset + size <= self._end):
            raise Refused("", "the archive is cut short, or is no package")
        self._file.seek(offset)
        return self._file.read(size)

    def _directory(self) -> tuple[int, int, int]:
        """Offset, size and number of members of the central directory; what follows it must be as it is made."""
        last = self._end - 22
        if last < 0 or self._at(last, 4) != b"PK\x05\x06":
            raise Refused("", "the archive does not end as a package does")
        count, size, offset = struct.unpack("<HII", self._at(last + 10, 10))
        if _2 == count or _4 in (size, offset):
            count, size, offset = struct.unpack("<QQQ", self._at(last - 76 + 32, 24))
        found = directory_end(count, size, offset)
        if offset + size + len(found) != self._end or self._at(offset + size, len(found)) != found:
            raise Refused("", "the end of the archive is not that of a package")
        return offset, size, count

    def _walk(self, directory: bytes, count: int, end: int) -> None:
        """Each member by the directory; both must be what the members' names, sizes and sums make them."""
        at = offset = 0
        while at < len(directory) and len(self.sizes) < count:
            name, crc, size = _entry(directory, at)
            entry, header = directory_entry(name, crc, size, offset), member_header(name, crc, size)
            if name in self.sizes or directory[at : at + len(entry)] != entry:
                raise Refused("", f"the directory of the archive is not that of a package, at {name}")
            if self._at(offset, len(header)) != header:
                raise Refused(name, "the header before its bytes is not that of a package")
            self.sizes[name], self._places[name] = size, (offset + len(header), crc)
            at, offset = at + len(entry), offset + len(header) + size
        if at != len(directory) or len(self.sizes) != count or offset != end:
            raise Refused("", "the archive holds something beside its members")

    def chunks(self, name: str) -> Iterator[bytes]:
        offset, crc = self._places[name]
        found, left = 0, self.sizes[name]
        while left:
            self._file.seek(offset)
            chunk = self._file.read(min(left, _CHUNK))
            if not chunk:
                raise Refused(name, "is cut short")
            found, offset, left = zlib.crc32(chunk, found), offset + len(chunk), left - len(chunk)
            yield chunk
        if found != crc:
            raise Refused(name, "its bytes are not those of its checksum")

    def close(self) -> None:
        self._file.close()


def _entry(directory: bytes, at: int) -> tuple[str, int, int]:
    """Name, checksum and size in a directory entry; the rest of it follows from these."""
    if len(directory) < at + 46:
        raise Refused("", "the directory of the archive is cut short")
    crc, _, size, length = struct.unpack_from("<IIIH", directory, at + 16)
    raw = directory[at + 46 : at + 46 + length]
    if size == _4 and len(directory) >= at + 46 + length + 12:
        (size,) = struct.unpack_from("<Q", directory, at + 46 + length + 4)
    return _safe(raw), crc, size


class Folder:
    """The members of a package in a directory: plain files and the directories they need, nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sizes: dict[str, int] = {}
        self._look(path, "")

    def _look(self, path: Path, prefix: str) -> None:
        names = sorted(os.listdir(path))
        if prefix and not names:
            raise Refused(prefix, "is an empty directory, which no package has")
        for each in names:
            name, info = _safe(os.fsencode(prefix + each)), os.lstat(path / each)
            if stat.S_ISDIR(info.st_mode):
                self._look(path / each, f"{name}/")
            elif stat.S_ISREG(info.st_mode):
                self.sizes[name] = info.st_size
            else:
                raise Refused(name, "is neither a plain file nor a directory")

    def chunks(self, name: str) -> Iterator[bytes]:
        left = self.sizes[name]
        # a name is looked at again when it is opened: what became a link since is not followed
        how = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._path / name, how), "rb") as file:
            while chunk := file.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise Refused(name, "grew while it was read")
                yield chunk

    def close(self) -> None:
        """Nothing is held open."""


def _safe(raw: bytes) -> str:
    """A name that a package may have: no way out of the directory, no hidden file, nothing but plain characters."""
    name = raw.decode("ascii", "replace")
    if _NAME.fullmatch(name) is None:
        raise Refused("", f"{name[:100]!a} is no name that a file of a package has")
    return name


def opened(path: Path) -> Archive | Folder:
    """The package at a path; Impossible where nothing can be read there."""
    try:
        info = os.stat(path)
        if stat.S_ISDIR(info.st_mode):
            return Folder(path)
        if not stat.S_ISREG(info.st_mode):
            raise Impossible(f"{path} is neither a file nor a directory")
        file = open(path, "rb")  # noqa: SIM115 - closed with the archive
    except OSError as error:
        raise Impossible(f"{path} cannot be read: {error}") from error
    try:
        return Archive(file)
    except BaseException:
        file.close()
        raise


# --- signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint) -------------------------------------------------


@dataclass(frozen=True)
class Key:
    """An Ed25519 key by its name: `name+keyid+base64(0x01 ‖ key)`."""

    text: str
    name: str
    keyid: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str, where: str) -> Key:
        try:
            name, keyid, encoded = text.strip().split("+", 2)  # base64 may hold a '+'
            raw = base64.b64decode(encoded, validate=True)
            found = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        except ValueError as error:
            raise Refused(where, "is no key: wanted is name+keyid+base64") from error
        if raw[:1] != b"\x01" or len(raw) != 33 or found.hex() != keyid or not _KEY_NAME.fullmatch(name):
            raise Refused(where, "is no Ed25519 key with its own key id")
        return cls(text.strip(), name, found, raw[1:])

    def opened(self, note: str, where: str) -> tuple[str, bytes]:
        """The text of a note and this key's signature of it; signatures of others are passed over."""
        body, gap, signatures = note.partition("\n\n")
        if not gap or not signatures.endswith("\n"):
            raise Refused(where, "is no signed note")
        for line in signatures[:-1].split("\n"):
            dash, name, encoded = [*line.split(" "), "", ""][:3]
            try:
                raw = base64.b64decode(encoded, validate=True)
            except ValueError as error:
                raise Refused(where, "has a signature line that is none") from error
            if dash == "\u2014" and name == self.name and raw[:4] == self.keyid:
                try:
                    Ed25519PublicKey.from_public_bytes(self.raw).verify(raw[4:], f"{body}\n".encode())
                except (InvalidSignature, ValueError) as error:
                    raise Refused(where, f"is not what the key of {self.name} signed") from error
                return f"{body}\n", raw
        raise Refused(where, f"bears no signature of the key of {self.name}")

    def written(self, body: str, signature: bytes) -> str:
        """A note as it must be written."""
        return f"{body}\n\u2014 {self.name} {base64.b64encode(signature).decode()}\n"


@dataclass(frozen=True)
class Head:
    """A signed tree head: how many entries, and the root over them."""

    size: int
    root: bytes

    @classmethod
    def read(cls, note: str, key: Key, where: str) -> Head:
        text, _ = key.opened(note, where)
        lines = text.split("\n")
        if len(lines) != 4 or lines[0] != key.name or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
            raise Refused(where, f"is no checkpoint of the log {key.name}")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise Refused(where, "has a root that is not base64") from error
        if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
            raise Refused(where, "has a root that is no SHA-256")
        return cls(int(lines[1]), root)


def manifest_note(origin: str, digest: str) -> str:
    """The text that the ledger's key signs for a package; no checkpoint begins like it."""
    return f"{origin}/package\n{FORMAT}\nsha256 {digest}\n"


# --- signed statements (DSSE v1, github.com/secure-systems-lab/dsse) -----------------------------------------------

_STATEMENT = "application/vnd.in-toto+json"
_SIGNATURES = 64  # of one envelope that are looked at
_CURVES = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
_LEAST_RSA = 2048  # bits, as NIST SP 800-131A wants


@dataclass(frozen=True)
class Trusted:
    """A public key that whoever verifies trusts: what they call it, and the SHA-256 of its SubjectPublicKeyInfo."""

    name: str
    digest: str
    key: Any

    @classmethod
    def parse(cls, pem: bytes, name: str) -> Trusted:
        """ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2048 bits and more; Refused where it is no such key."""
        try:
            key = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Refused(name, "holds no public key in PEM (-----BEGIN PUBLIC KEY-----)") from error
        known = isinstance(key, (Ed25519PublicKey, rsa.RSAPublicKey)) or (
            isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
        )
        if not known or (isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA):
            raise Refused(name, "is no key for ECDSA on P-256, P-384 or P-521, for Ed25519, or for RSA of 2048 bits")
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return cls(name, hashlib.sha256(der).hexdigest(), key)

    def made(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made a signature of a message, in one of the ways that such a key signs envelopes."""
        for way in self._ways():
            try:
                self.key.verify(signature, message, *way)
                return True
            except (InvalidSignature, ValueError):
                continue
        return False

    def _ways(self) -> Iterator[tuple[Any, ...]]:
        """What `verify` wants beside signature and message; an envelope does not tell, so it is the key's to say."""
        if isinstance(self.key, Ed25519PublicKey):
            yield ()
        elif isinstance(self.key, ec.EllipticCurvePublicKey):
            yield (ec.ECDSA(_CURVES[self.key.curve.name]),)
            yield (ec.ECDSA(hashes.SHA256()),)  # cosign's, whatever the curve
        else:
            for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
                yield padding.PSS(padding.MGF1(digest), padding.PSS.AUTO), digest
                yield padding.PKCS1v15(), digest


@dataclass(frozen=True)
class Signed:
    """One signature of an envelope: the key id it names (a hint, never believed), and the trusted key that made it.

    Where no trusted key made it, `why` says what is known.
    """

    pointer: str
    keyid: str
    by: Trusted | None
    why: str = ""


@dataclass(frozen=True)
class Signatures:
    """Those of one statement: `verified` where a trusted key made one of them, else `not verified` or `unsigned`."""

    verdict: str
    all: Sequence[Signed]

    def lines(self) -> list[str]:
        """What to tell of them, a line each."""
        if not self.all:
            return ["the statement is not signed"]
        return [
            f"signed by {each.by.name}, a key that you trust (SHA-256 {each.by.digest})"
            if each.by
            else f"not verified: {each.why} (signature {each.keyid[:80]!a} at {each.pointer or '/'})"
            for each in self.all
        ]


def signatures(payload: bytes, trusted: Sequence[Trusted]) -> Signatures:
    """Whether a trusted key signed the statement that a payload is: in a DSSE envelope, alone or in a Sigstore bundle.

    A function of the payload's bytes and the keys alone. What the signature is of, the bytes in the envelope and their
    type, is what provstore's adapter reads the statement from.
    """
    try:
        found = _signed(payload, trusted)
    except Refused as refused:  # what is made otherwise than DSSE has it, no key can have signed
        found = [Signed("", "", None, str(refused))]
    if any(each.by for each in found):
        return Signatures("verified", found)
    return Signatures("not verified" if found else "unsigned", found)


def _signed(payload: bytes, trusted: Sequence[Trusted]) -> list[Signed]:
    value = _unique(payload)
    at, held = ("/dsseEnvelope", value["dsseEnvelope"]) if "dsseEnvelope" in value else ("", value)
    if not isinstance(held, dict) or "payload" not in held or "payloadType" not in held:
        return []
    if held["payloadType"] != _STATEMENT:  # a signature of something else, that may read like a statement
        raise Refused(f"{at}/payloadType", f"is {str(held['payloadType'])[:80]!a}, not {_STATEMENT}")
    message = pae(held["payloadType"], _base64(held["payload"], f"{at}/payload"))
    listed = held.get("signatures") or []
    if not isinstance(listed, list):
        raise Refused(f"{at}/signatures", "is no list")
    return [_held_to(trusted, f"{at}/signatures/{n}", n, each, message) for n, each in enumerate(listed)]


def pae(kind: str, body: bytes) -> bytes:
    """What a DSSE signature is of: type and body with their lengths, so that neither can run into the other."""
    return b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(body), body)


def _held_to(trusted: Sequence[Trusted], where: str, number: int, each: Any, message: bytes) -> Signed:
    if not isinstance(each, dict):
        return Signed(where, "", None, "it is no object with a 'sig'")
    keyid = each["keyid"] if isinstance(each.get("keyid"), str) else ""
    if number >= _SIGNATURES:
        return Signed(where, keyid, None, f"only the first {_SIGNATURES} were looked at")
    try:
        raw = _base64(each.get("sig"), where)
    except Refused:
        return Signed(where, keyid, None, "its 'sig' is not base64")
    by = next((key for key in trusted if key.made(raw, message)), None)
    why = "" if by else "none of the trusted keys made it" if trusted else "no key is trusted"
    return Signed(where, keyid, by, why)


def _unique(payload: bytes) -> dict[str, Any]:
    """A JSON object in which no name stands twice: readers differ in which of two they take."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in found}) != len(found):
            raise Refused("", "in the payload a name stands twice in one object")
        return dict(found)

    try:
        value = json.loads(payload, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise Refused("", "the payload is not JSON") from error
    if not isinstance(value, dict):
        raise Refused("", "the payload is no JSON object")
    return value


def _base64(text: Any, where: str) -> bytes:
    """Bytes in either alphabet of RFC 4648, written in the one way there is."""
    if isinstance(text, str):
        for alphabet in (b"+/", b"-_"):
            try:
                raw = base64.b64decode(text, alphabet, validate=True)
            except ValueError:
                continue
            if base64.b64encode(raw, alphabet).decode() == text:
                return raw
    raise Refused(where, "is not base64")


# --- the Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1.3.2 and §2.1.4.2) -----------------------------------------------


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash stands at an index of the tree of a size and root."""
    if not 0 <= index < size:
        return False
    fn, sn, held = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            held = _node(step, held)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            held = _node(held, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and held == root


def extends(old: Head, new: Head, proof: Sequence[bytes]) -> bool:
    """Whether the tree of the new head begins with that of the old one; both roots are rebuilt."""
    if old.size == new.size:
        return not proof and old.root == new.root
    if not 0 < old.size < new.size:
        return False
    steps = [*([old.root] if old.size & (old.size - 1) == 0 else []), *proof]
    if not steps:
        return False
    fn, sn = old.size - 1, new.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = _node(step, fr), _node(step, sr)
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old.root and sr == new.root


# --- the package ---------------------------------------------------------------------------------------------------

_FIXED = ("README.txt", "index.html", "verify.py", "key.txt", "checkpoint.txt", "graph.nq")
_MANIFEST = {"base", "checkpoint", "consistency", "counts", "derived", "files", "format", "origin", "records"}
_MANIFEST |= {"selection"}
_RECORD = {"contents", "index", "liberties", "mediaType", "payload", "record"}
_ENTRY = {"actor", "adapter", "kind", "payload", "quads", "time", "v"}
_GENESIS = {"base", "key", "kind", "origin", "time", "v"}


class Package:
    """A package that is being verified: its members, its manifest, and what was found so far."""

    def __init__(
        self, held: Archive | Folder, progress: Progress | None = None, trusted: Sequence[Trusted] = ()
    ) -> None:
        self._held, self._progress, self._trusted = held, progress, trusted
        self.findings: list[str] = []
        self.notes: list[str] = []
        raw = self.whole("manifest.json")
        self.manifest = _shaped(_canonical(raw, "manifest.json"), _MANIFEST, "manifest.json")
        if self.manifest["format"] != FORMAT:
            raise Refused("manifest.json", f"is of the format {self.manifest['format']!a}, not {FORMAT}")
        self.key = Key.parse(self.text("key.txt"), "key.txt")
        self._signed(hashlib.sha256(raw).hexdigest())
        self.head = Head.read(self.text("checkpoint.txt"), self.key, "checkpoint.txt")

    # -- reading -----------------------------------------------------------------------------------------------------

    def chunks(self, name: str) -> Iterator[bytes]:
        if name not in self._held.sizes:
            raise Refused(name, "is missing")
        return self._held.chunks(name)

    def whole(self, name: str) -> bytes:
        if self._held.sizes.get(name, 0) > _MOST:
            raise Refused(name, f"is larger than {_MOST} bytes")
        return b"".join(self.chunks(name))

    def text(self, name: str) -> str:
        try:
            return self.whole(name).decode()
        except UnicodeDecodeError as error:
            raise Refused(name, "is not UTF-8") from error

    def lines(self, name: str) -> list[str]:
        """The lines of N-Quads; a file must not end within one, which another could then go on with."""
        *lines, rest = self.text(name).split("\n")  # not splitlines: literals hold other line separators as they are
        if rest:
            raise Refused(name, "ends within a statement")
        return lines

    def read(self, name: str, fields: set[str]) -> dict[str, Any]:
        return _shaped(_canonical(self.whole(name), name), fields, name)

    def digest(self, names: Iterable[str], start: bytes = b"") -> str:
        """The SHA-256 over files, one after the other."""
        held = hashlib.sha256(start)
        for name in names:
            for chunk in self.chunks(name):
                held.update(chunk)
        return held.hexdigest()

    # -- manifest and files ------------------------------------------------------------------------------------------

    def _signed(self, digest: str) -> None:
        """The key's signature over the manifest, written in the one way there is."""
        note = self.text("manifest.sig")
        body, signature = self.key.opened(note, "manifest.sig")
        if body != manifest_note(self.key.name, digest):
            raise Refused("manifest.json", "is not the manifest that manifest.sig signs")
        if self.key.written(body, signature) != note:
            raise Refused("manifest.sig", "is not written as a package has it")

    def files(self) -> None:
        """Every file is what the manifest says, and there is no other."""
        listed = [_shaped(each, {"name", "sha256", "size"}, "manifest.json") for each in _list(self.manifest["files"])]
        names = [str(each["name"]) for each in listed]
        own = ["manifest.json", "manifest.sig"]
        have, known = list(self._held.sizes), {*names, *own}
        self.findings += [f"{name}: is not in the manifest" for name in have if name not in known]
        self.findings += [f"{name}: is missing" for name in names if name not in self._held.sizes]
        if len(known) != len(names) + len(own):
            self.findings.append("manifest.json: names a file twice")
        if isinstance(self._held, Archive) and not self.findings and have != [*names, *own]:
            self.findings.append("the files do not stand in the order of the manifest")
        total = len(listed) + len(self.manifest["records"])
        for done, each in enumerate(listed, 1):
            name = str(each["name"])
            if name in self._held.sizes:
                self._try(self._file, name, each)
            self._tell(done, total)

    def _file(self, name: str, said: dict[str, Any]) -> None:
        if self._held.sizes[name] != said["size"] or self.digest([name]) != said["sha256"]:
            raise Refused(name, "was changed: it is not the file that the manifest names")

    def _try(self, check: Callable[..., None], *values: Any) -> None:
        try:
            check(*values)
        except Refused as refused:
            self.findings.append(str(refused))

    def _tell(self, done: int, total: int) -> None:
        if self._progress and (done % 100 == 0 or done == total):
            self._progress(done, total)

    # -- what the ledger commits to ----------------------------------------------------------------------------------

    def contents(self) -> None:
        """Each record against its entry, each entry against the tree, and that no file is there for nothing."""
        said = self.manifest
        if said["checkpoint"] != {"root": self.head.root.hex(), "size": self.head.size}:
            raise Refused("manifest.json", "names another checkpoint than checkpoint.txt")
        self._wanted = set(_FIXED)
        if said["derived"] is not None:
            _shaped(said["derived"], {"index"}, "manifest.json")
            self._want("derived/graph.nq")
        self._genesis()
        quads: dict[str, str] = {}  # record → file
        cited: dict[str, str] = {}  # content → file
        records, files, before = _list(said["records"]), len(said["files"]), 0
        for done, raw in enumerate(records, 1):
            each = _shaped(raw, _RECORD, "manifest.json")
            if not isinstance(each["index"], int) or each["index"] <= before:
                raise Refused("manifest.json", "its records do not stand in the order of the ledger")
            before = each["index"]
            self._try(self._record, each, quads, cited)
            self._tell(files + done, files + len(records))
        for iri, name in sorted(cited.items()):
            self._try(self._content, iri, name)
        if self.findings:  # what follows from them need not be told
            return
        self._graph([*quads.values(), *(name for _, name in sorted(cited.items()))])
        for old in _list(said["consistency"]):
            self._want(f"consistency/{old}.json")
        listed = {str(each["name"]) for each in said["files"]}
        self.findings += [f"{name}: is missing" for name in sorted(self._wanted - listed)]
        self.findings += [f"{name}: belongs to nothing in the package" for name in sorted(listed - self._wanted)]
        self._counts(len(quads), len(cited))

    def _want(self, name: str) -> str:
        self._wanted.add(name)
        return name

    def _genesis(self) -> None:
        """Entry 0 fixes the key, the origin and the id base of the log."""
        said = self._entry(0, _GENESIS)
        if said["kind"] != "genesis" or said["key"] != self.key.text or said["origin"] != self.key.name:
            raise Refused("key.txt", "is not the key that the ledger began with")
        if (said["origin"], said["base"]) != (self.manifest["origin"], self.manifest["base"]):
            raise Refused("manifest.json", "names another origin or base than the ledger began with")
        self.base = str(said["base"])

    def _entry(self, index: int, fields: set[str]) -> dict[str, Any]:
        """An entry that stands where it says in the tree of the checkpoint."""
        name, proof = self._want(f"records/{index}/entry.json"), self._want(f"records/{index}/proof.json")
        raw = self.whole(name)
        said = _shaped(_canonical(raw, name), fields, name)
        if said["v"] != LEAF:
            raise Refused(name, f"is of version {said['v']!a}, not {LEAF}")
        leaf = hashlib.sha256(b"\x00" + raw).digest()  # RFC 6962 §2.1: 0x00 prefix for leaves
        found = self.read(proof, {"index", "leaf", "path", "size"})
        if (found["index"], found["size"], found["leaf"]) != (index, self.head.size, leaf.hex()):
            raise Refused(proof, "is the proof of another entry or tree")
        if not included(index, self.head.size, leaf, _hashes(found["path"], proof), self.head.root):
            raise Refused(name, "is not in the ledger of the checkpoint: its proof does not lead to the root")
        return said

    def _record(self, said: dict[str, Any], quads: dict[str, str], cited: dict[str, str]) -> None:
        index = said["index"]
        entry = self._entry(index, _ENTRY)
        if entry["kind"] != "record":
            raise Refused(f"records/{index}/entry.json", "is not the entry of a record")
        if said["payload"] is None:  # the ledger does not hold it any more; the entry stays
            if any(said[name] is not None for name in ("contents", "liberties", "mediaType", "record")):
                raise Refused("manifest.json", f"says both that entry {index} is empty and what is in it")
            self.notes.append(f"entry {index}: the ledger holds its place, but no payload or statements any more")
            return
        salts = self._salts(index, entry)
        payload = self._want(f"records/{index}/{said['payload']}")
        if not str(said["payload"]).startswith("payload.") or self.digest([payload], salts[0]) != entry["payload"]:
            raise Refused(payload, "is not the payload that the entry commits to")
        own = self._want(f"records/{index}/quads.nq")
        parts = [_shaped(each, {"file", "iri"}, "manifest.json") for each in _list(said["contents"])]
        names = [own, *(self._want(str(each["file"])) for each in parts)]
        if self.digest(names, salts[1]) != entry["quads"]:
            raise Refused(own, "or a content it cites is not what the entry commits to")
        record = str(said["record"])
        if record != f"{self.base}/record/{_record_digest(self.lines(own), record)}":
            raise Refused(own, f"is not the record {record!a}")
        quads.setdefault(record, own)
        cited.update({str(each["iri"]): str(each["file"]) for each in parts})
        if self._trusted and str(entry["adapter"]).startswith("statement/"):
            held = signatures(self.whole(payload), self._trusted)
            self.notes += [f"entry {index}: {_plain(line)}" for line in held.lines()]

    def _salts(self, index: int, entry: dict[str, Any]) -> tuple[bytes, bytes]:
        name = self._want(f"records/{index}/salts.json")
        said = self.read(name, {"actor", "payload", "quads"})
        actor = said["actor"]
        if actor is not None:
            actor = _shaped(actor, {"name", "salt"}, name)
            held = hashlib.sha256(_bytes(actor["salt"], name) + str(actor["name"]).encode("utf-8", "surrogatepass"))
            if held.hexdigest()[:32] != entry["actor"]:
                raise Refused(name, "names another actor than the entry")
        return _bytes(said["payload"], name), _bytes(said["quads"], name)

    def _content(self, iri: str, name: str) -> None:
        if name != f"contents/{self.digest([name])}.nq":
            raise Refused(name, "is not named by its digest")
        if not iri.startswith("ni:///sha-256;") or not all(line.endswith(f" <{iri}> .") for line in self.lines(name)):
            raise Refused(name, f"holds statements outside the graph {iri!a}")

    def _graph(self, names: Sequence[str]) -> None:
        """graph.nq is the statements of all records, then of all contents, and nothing else."""
        if self.digest(names) != self.digest(["graph.nq"]):
            raise Refused("graph.nq", "is not the statements of the records and contents")

    def _counts(self, graphs: int, contents: int) -> None:
        records = self.manifest["records"]
        missing = sum(each["payload"] is None for each in records)
        found = {"contents": contents, "graphs": graphs, "missing": missing, "records": len(records)}
        if self.manifest["counts"] != found:
            self.findings.append(f"manifest.json: counts {self.manifest['counts']!a}, but there are {found}")

    # -- what was kept elsewhere -------------------------------------------------------------------------------------

    def connect(self, kept: str, proof: str | None) -> tuple[Head, bool]:
        """The kept checkpoint, and whether a proof connects it; Refused where it contradicts the package."""
        old, where = Head.read(kept, self.key, "the kept checkpoint"), "the kept checkpoint"
        if old.size == self.head.size:
            if old.root != self.head.root:
                raise Refused(where, f"is of another ledger: this log signed two different trees of {old.size} entries")
            return old, True
        first, last = sorted((old, self.head), key=lambda head: head.size)
        steps = self._steps(first.size, last.size, proof)
        if steps is None:
            return old, False
        if not extends(first, last, steps):
            raise Refused(where, f"of {old.size} entries is not of the ledger that the package comes from")
        return old, True

    def _steps(self, first: int, last: int, proof: str | None) -> list[bytes] | None:
        name = f"consistency/{first}.json"
        if proof is None and last == self.head.size and first in self.manifest["consistency"]:
            said = self.read(name, {"from", "proof", "to"})
        elif proof is not None:
            name = "the consistency proof"
            said = _loaded(proof.encode("utf-8", "replace"), name)
        else:
            return None
        if not isinstance(said, dict) or (said.get("from"), said.get("to")) != (first, last):
            raise Refused(name, f"is not the one from {first} to {last} entries")
        return _hashes(said.get("proof"), name)


def _record_digest(lines: Iterable[str], record: str) -> str:
    """The digest that names a record: over its sorted statements, its own IRI replaced outside literals."""
    replaced = []
    for line in lines:
        head, quote, rest = line.partition('"')
        literal, end, tail = rest.rpartition('"')
        parts = (head.replace(record, _PLACEHOLDER), quote, literal, end, tail.replace(record, _PLACEHOLDER), "\n")
        replaced.append("".join(parts))
    return hashlib.sha256("".join(sorted(replaced)).encode()).hexdigest()


def _loaded(raw: bytes, where: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(where, "is not JSON") from error


def _canonical(raw: bytes, where: str) -> Any:
    """The value of a JSON file that is written in the one way there is (RFC 8785; keys and numbers are plain here)."""
    value = _loaded(raw, where)
    try:
        written = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        if written.encode() == raw:
            return value
    except (ValueError, RecursionError):
        pass
    raise Refused(where, "is not canonical JSON")


def _shaped(value: Any, fields: set[str], where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != fields:
        raise Refused(where, f"does not have the fields {', '.join(sorted(fields))} where they belong")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refused("manifest.json", "has something else where a list belongs")
    return value


def _bytes(text: Any, where: str) -> bytes:
    if not isinstance(text, str) or _HASH.fullmatch(text) is None:
        raise Refused(where, "holds something else where 32 bytes in hexadecimal belong")
    return bytes.fromhex(text)


def _hashes(value: Any, where: str) -> list[bytes]:
    if not isinstance(value, list) or len(value) > 64:
        raise Refused(where, "is no proof")
    return [_bytes(each, where) for each in value]


# --- the verdict ---------------------------------------------------------------------------------------------------


def check(
    path: Path,
    *,
    key: str | None = None,
    checkpoint: str | None = None,
    proof: str | None = None,
    trusted: Sequence[Trusted] = (),
    progress: Progress | None = None,
) -> Report:
    """Verify the package at a path; `key` is a verifier key that is trusted, `checkpoint` a signed note that was kept.

    Of each in-toto statement the notes say whether one of the `trusted` keys signed it, where there are any.
    Never writes, extracts or runs anything. Impossible where nothing can be read at the path.
    """
    try:
        with closing(opened(path)) as held:
            package = Package(held, progress, trusted)
            return _judged(package, key, checkpoint, proof)
    except Refused as refused:
        return _failed([str(refused)])
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        return _failed([f"manifest.json: is not made as a package's is ({error})"])
    except OSError as error:
        raise Impossible(f"{path} cannot be read: {error}") from error


def _judged(package: Package, key: str | None, checkpoint: str | None, proof: str | None) -> Report:
    if key is not None and Key.parse(key, "the trusted key") != package.key:
        raise Refused("key.txt", "is not the key that you trust")
    package.files()
    if package.findings:
        return _failed(package.findings)
    package.contents()
    kept, connected = package.connect(checkpoint, proof) if checkpoint is not None else (None, False)
    if package.findings:
        return _failed(package.findings)
    head, count = package.head, len(package.manifest["records"])
    notes = [*package.notes, f"signed by {package.key.text}{', which you trust' if key is not None else ''}"]
    held = f"{count} record{'' if count == 1 else 's'} of a ledger of {head.size} entries, root {head.root.hex()}"
    if kept is None:
        return Report([], notes, f"UNWITNESSED: {held}; no checkpoint kept elsewhere was compared", 0)
    if not connected:
        missing = f"the kept checkpoint of {kept.size} entries cannot be connected without a consistency proof"
        return Report([], notes, f"UNWITNESSED: {held}; {missing}", 2)
    how = "extending" if kept.size < head.size else "which is" if kept.size == head.size else "extended by"
    return Report([], notes, f"VERIFIED: {held}, {how} the kept checkpoint of {kept.size} entries", 0)


def _failed(findings: Sequence[str]) -> Report:
    findings = [_plain(each) for each in findings]
    return Report(findings, [], f"FAILED: {len(findings)} finding(s) in the package; do not rely on it", 1)


def _plain(text: str) -> str:
    """A finding as one line that drives no terminal, whatever names are in it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def main(argv: Sequence[str] | None = None) -> int:
    """Verify as the arguments say; prints the findings and the verdict."""
    parser = argparse.ArgumentParser(description="Verify a provstore package.")
    here = Path(__file__).resolve().parent
    parser.add_argument("package", nargs="?", default=here, type=Path, help="ZIP file or directory")
    parser.add_argument(
        "--key", help="the ledger's verifier key as you know it from elsewhere, or a file that holds it"
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint that you kept")
    parser.add_argument("--proof", metavar="FILE", help="the server's answer to /ledger/proof/consistency?from=…&to=…")
    parser.add_argument(
        "--trust", metavar="FILE", action="append", default=[], help="a public key that you trust (PEM); repeatable"
    )
    given = parser.parse_args(argv)
    try:
        report = check(
            given.package,
            key=given.key if given.key is None or "+" in given.key else kept(given.key),
            checkpoint=None if given.checkpoint is None else kept(given.checkpoint),
            proof=None if given.proof is None else kept(given.proof),
            trusted=trusted(given.trust),
        )
    except Impossible as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("verify.py: there is not enough memory to verify this package", file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    return report.code


def trusted(paths: Iterable[str]) -> list[Trusted]:
    """The public keys in files, a file each, named after it; Impossible where one holds none."""
    try:
        return [Trusted.parse(kept(path).encode(), Path(path).name) for path in paths]
    except Refused as refused:
        raise Impossible(str(refused)) from refused


def kept(path: str) -> str:
    """The text of a small file that somebody kept; Impossible where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20).decode()
    except (OSError, ValueError) as error:
        raise Impossible(f"{path} cannot be read: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
