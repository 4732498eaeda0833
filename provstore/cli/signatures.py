"""`provstore signatures`: whether keys that you trust signed the statements in the store, or in files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from provstore import iris
from provstore.capture import formats, payloads
from provstore.capture.payloads import Limits
from provstore.cli import files
from provstore.cli.output import show
from provstore.cli.remote import existing
from provstore.core import signatures
from provstore.errors import NotFound
from provstore.export import verify
from provstore.export.verify import Signatures, Trusted
from provstore.ledger.log import Ledger
from provstore.settings import Settings

_RECORD = re.compile(r"(?:\A|/record/)[0-9a-f]{64}\Z")
_COLUMNS = ("verdict", "statement", "index", "key", "keyid", "says")
_Found = Iterator[tuple[str, int | None, Signatures]]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 where a trusted key signed each of the statements, 1 where one is not, or not signed at all."""
    places = [*filter(None, [settings.trusted_keys]), *arguments.trust]
    trusted = signatures.trusted_keys(places)
    names = [each for each in arguments.statements if Path(each).exists() or each == "-"]
    records = [each for each in arguments.statements if each not in names]
    found = [each for name in names for each in _in_file(name, trusted)]
    if records or not names:
        with closing(Ledger(existing(settings))) as ledger:
            found += _in_store(ledger, records, trusted)
    rows = [row for statement, index, held in found for row in _rows(statement, index, held)]
    note = f"{sum(held.verdict == 'verified' for _, _, held in found)} of {len(found)} statements are verified"
    if not trusted:
        note += "; no key is trusted: name some with --trust or PROVSTORE_TRUSTED_KEYS"
    show(arguments.format, _COLUMNS, rows, note=note)
    return 0 if all(held.verdict == "verified" for _, _, held in found) else 1


def _in_file(name: str, trusted: Sequence[Trusted]) -> _Found:
    """The statements in a file; NotFound where there is none."""
    parts = payloads.split(files.read(name), "application/json", None, Limits())
    held = [each for each in parts if not each.error and formats.of_payload(each.value).name == signatures.FORMAT]
    if not held:
        raise NotFound(f"{name} holds no in-toto statement")
    for each in held:
        yield f"{name}{each.pointer}", None, verify.signatures(each.raw, trusted)


def _in_store(ledger: Ledger, records: Sequence[str], trusted: Sequence[Trusted]) -> _Found:
    if not records:
        for body, held in signatures.all_signed(ledger, trusted):
            yield body.record, body.index, held
    for given in records:
        if not _RECORD.search(given):
            raise NotFound(f"{given} is neither a file that is there nor the IRI of a record")
        record = given if ":" in given else iris.record(ledger.base, given)
        indices = ledger.find(record)
        if not indices:
            raise NotFound(f"the store holds no record {record}, and no file is called so")
        for index in indices:
            found = signatures.signed(ledger.body(index), trusted)
            if found is None:
                raise NotFound(f"the record {record} is no in-toto statement")
            yield record, index, found


def _rows(statement: str, index: int | None, held: Signatures) -> Iterator[tuple[object, ...]]:
    for each in held.all:
        key = each.by
        said = f"made by the key of SHA-256 {key.digest}" if key else each.why
        yield held.verdict, statement, index, key.name if key else "", each.keyid, said
    if not held.all:
        yield held.verdict, statement, index, "", "", "it bears no signature"
