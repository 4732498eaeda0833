"""A package: records with what opens their commitments, their proofs, a signed manifest, and a verifier.

The same ledger, selection and checkpoint give the same bytes. One record is held at a time; what all of them state
together is gathered in a temporary file.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from provstore import jcs
from provstore.capture.syntax import SYNTAXES
from provstore.errors import NotFound
from provstore.export import pages, verify
from provstore.export.archive import Writer
from provstore.ledger import merkle
from provstore.ledger.body import Body
from provstore.ledger.log import Ledger
from provstore.ledger.note import Checkpoint

Progress = Callable[[int, int], None]
#: The verifier that goes into every package: the file itself.
VERIFIER = Path(verify.__file__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into a package: ledger indices in order, under which signed checkpoint, and how they were selected.

    `derived` are statements concluded from the ledger and the index they were read at; None leaves them out. `kept` are
    the sizes of older checkpoints to be connected.
    """

    note: str
    checkpoint: Checkpoint
    indices: Sequence[int]
    selection: dict[str, Any]
    kept: Sequence[int] = ()
    derived: tuple[int, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many records of a ledger of how many entries, in how many bytes; the manifest's digest."""

    records: int
    entries: int
    size: int
    manifest: str


def write(ledger: Ledger, plan: Plan, out: BinaryIO, progress: Progress | None = None) -> Exported:
    """Write a package as a ZIP file; LedgerError where the ledger does not hold together on the way."""
    with tempfile.TemporaryFile() as gathered:
        return _Package(ledger, plan, Writer(out), gathered).write(progress)


def verifier_digest() -> str:
    """The SHA-256 of the verifier that goes into packages."""
    return hashlib.sha256(VERIFIER.read_bytes()).hexdigest()


@dataclass(slots=True)
class _Package:
    ledger: Ledger
    plan: Plan
    archive: Writer
    gathered: BinaryIO
    records: list[dict[str, Any]] = field(default_factory=list)
    rows: list[pages.Row] = field(default_factory=list)
    graphs: set[str] = field(default_factory=set)  # the records whose statements are gathered
    cited: dict[str, str] = field(default_factory=dict)  # content → file

    def write(self, progress: Progress | None) -> Exported:
        plan, archive = self.plan, self.archive
        facts = pages.Facts(self.ledger.base, plan.checkpoint, len(plan.indices), plan.selection, verifier_digest())
        archive.add("README.txt", pages.readme(facts).encode())
        archive.add("verify.py", VERIFIER.read_bytes())
        archive.add("key.txt", f"{self.ledger.verifier.vkey()}\n".encode())
        archive.add("checkpoint.txt", plan.note.encode())
        self._entry(0)
        for done, index in enumerate(plan.indices, 1):
            self._record(index)
            if progress and (done % 100 == 0 or done == len(plan.indices)):
                progress(done, len(plan.indices))
        self._contents()
        self._consistency()
        archive.add_file("graph.nq", self.gathered)
        if plan.derived:
            archive.add("derived/graph.nq", plan.derived[1])
        archive.add("index.html", pages.index(facts, self.rows, plan.derived).encode())
        manifest = jcs.dumps(self._manifest()).encode()
        digest = hashlib.sha256(manifest).hexdigest()
        archive.add("manifest.json", manifest)
        archive.add("manifest.sig", self.ledger.attest("package", verify.FORMAT, f"sha256 {digest}").encode())
        return Exported(len(plan.indices), plan.checkpoint.size, archive.finish(), digest)

    def _json(self, name: str, value: Any) -> None:
        self.archive.add(name, jcs.dumps(value).encode())

    def _entry(self, index: int) -> bytes:
        size, entry = self.plan.checkpoint.size, self.ledger.entry(index)
        self.archive.add(f"records/{index}/entry.json", entry)
        path = [step.hex() for step in self.ledger.inclusion(index, size)]
        leaf = merkle.leaf_hash(entry).hex()
        self._json(f"records/{index}/proof.json", {"index": index, "leaf": leaf, "path": path, "size": size})
        return entry

    def _record(self, index: int) -> None:
        entry = self._entry(index)
        try:
            body = self.ledger.body(index)
            opening = self.ledger.opening(body.index)
        except NotFound:  # its place in the ledger can be shown, and nothing else
            said = dict.fromkeys(("contents", "liberties", "mediaType", "payload", "record"))
            self.records.append({"index": index, **said})
            self.rows.append(pages.Row.empty(index, entry))
            return
        home, payload = f"records/{index}", _payload_name(body.media_type)
        actor = {"name": opening.actor[0], "salt": opening.actor[1].hex()} if opening.actor else None
        salts = {"actor": actor, "payload": opening.payload.hex(), "quads": opening.quads.hex()}
        self._json(f"{home}/salts.json", salts)
        self.archive.add(f"{home}/{payload}", body.payload)
        self.archive.add(f"{home}/quads.nq", body.quads)
        if body.record not in self.graphs:
            self.graphs.add(body.record)
            self.gathered.write(body.quads)
        self.records.append(self._said(body, payload))
        self.rows.append(pages.Row.of(body, opening.actor[0] if opening.actor else body.actor, payload))

    def _said(self, body: Body, payload: str) -> dict[str, Any]:
        """What the manifest tells of a record beside what its entry says."""
        return {
            "contents": [{"file": self._content_file(iri), "iri": iri} for iri in body.contents],
            "index": body.index,
            "liberties": [[each.pointer, each.message] for each in body.liberties],
            "mediaType": body.media_type,
            "payload": payload,
            "record": body.record,
        }

    def _content_file(self, iri: str) -> str:
        if iri not in self.cited:
            self.cited[iri] = f"contents/{hashlib.sha256(self.ledger.content(iri)).hexdigest()}.nq"
        return self.cited[iri]

    def _contents(self) -> None:
        for iri, name in sorted(self.cited.items()):
            quads = self.ledger.content(iri)
            self.archive.add(name, quads)
            self.gathered.write(quads)

    def _consistency(self) -> None:
        size = self.plan.checkpoint.size
        for old in self.plan.kept:
            proof = [step.hex() for step in self.ledger.consistency(old, size)]
            self._json(f"consistency/{old}.json", {"from": old, "proof": proof, "to": size})

    def _manifest(self) -> dict[str, Any]:
        plan = self.plan
        missing = sum(each["payload"] is None for each in self.records)
        return {
            "base": self.ledger.base,
            "checkpoint": {"root": plan.checkpoint.root.hex(), "size": plan.checkpoint.size},
            "consistency": list(plan.kept),
            "counts": {
                "contents": len(self.cited),
                "graphs": len(self.graphs),
                "missing": missing,
                "records": len(self.records),
            },
            "derived": {"index": plan.derived[0]} if plan.derived else None,
            "files": self.archive.files,
            "format": verify.FORMAT,
            "origin": self.ledger.origin,
            "records": self.records,
            "selection": plan.selection,
        }


def _payload_name(media_type: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    ends = {known: each for known, (_, each) in SYNTAXES.items()}
    rest = ".json" if kind == "application/json" or kind.endswith("+json") else ".bin"
    return f"payload{ends.get(kind, (rest,))[0]}"
