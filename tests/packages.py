"""Packages to test with: small ones, taken apart and put together again, with or without the ledger's key."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from provstore import jcs
from provstore.export import verify
from provstore.export.archive import Writer
from provstore.export.package import Plan, write
from provstore.ledger.log import Ledger

Files = dict[str, bytes]


def package(ledger: Ledger, *indices: int, kept: tuple[int, ...] = (), derived: bytes | None = b"") -> bytes:
    """The ZIP file of some records of a ledger."""
    note, out = ledger.checkpoint(), io.BytesIO()
    said = None if derived is None else (ledger.head, derived)
    plan = Plan(note, ledger.verifier.open(note), indices, {"record": ["…"]}, kept, said)
    write(ledger, plan, out)
    return out.getvalue()


def files(data: bytes) -> Files:
    """The members of a ZIP file, as the library that everybody has reads them."""
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        assert held.testzip() is None
        return {name: held.read(name) for name in held.namelist()}


def zipped(members: Files) -> bytes:
    """A ZIP file of members as they are, laid out as a package's."""
    out = io.BytesIO()
    writer = Writer(out)
    for name, data in members.items():
        writer.add(name, data)
    writer.finish()
    return out.getvalue()


def manifest(members: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(members["manifest.json"])
    return found


def signed(ledger: Ledger, members: Files, **changes: Any) -> bytes:
    """The members with a manifest made anew, and signed by the ledger's key: what only its owner can do."""
    said = {**manifest(members), **changes}
    rest = {name: data for name, data in members.items() if name not in ("manifest.json", "manifest.sig")}
    said["files"] = [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in rest.items()
    ]
    return attested(ledger, rest, said)


def attested(ledger: Ledger, rest: Files, said: Any) -> bytes:
    """The members beside any manifest, signed by the ledger's key."""
    raw = jcs.dumps(said).encode()
    note = ledger.attest("package", verify.FORMAT, f"sha256 {hashlib.sha256(raw).hexdigest()}")
    others = {name: data for name, data in rest.items() if name not in ("manifest.json", "manifest.sig")}
    return zipped({**others, "manifest.json": raw, "manifest.sig": note.encode()})


def put(members: Files, directory: Path) -> Path:
    """The members as files below a directory."""
    for name, data in members.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    return directory
