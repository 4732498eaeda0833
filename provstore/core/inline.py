"""Validation as a Python call: in this process, with nothing started, stored or fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provstore.capture.payloads import Limits
from provstore.capture.syntax import media_type_of
from provstore.core import intake, locate
from provstore.core.intake import Body, Item
from provstore.errors import InvalidInput
from provstore.model import Location, Mapped
from provstore.validation.checking import told
from provstore.validation.described import described
from provstore.validation.profiles import SHIPPED
from provstore.validation.results import Judgement, Validation, Verdict
from provstore.validation.tasks import Task

_BASE = "https://prov.example"


def validate(
    data: str | bytes | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    profile: str | Sequence[str] = "prov-core",
    *,
    media_type: str | None = None,
    base: str = _BASE,
) -> Validation:
    """What profiles find in a document: OpenLineage events, or RDF in any syntax that provstore reads.

    `data` is a file (its name tells what it holds), the text or bytes of one, an event, or a list of events. Of text,
    `media_type` tells the syntax; without it, what begins like a JSON object or a list of them is JSON, and anything
    else Turtle. `profile` names one or more, `prov-core` (its newest version) or `prov-core/1`. `base` is the id base
    under which records are named.

    The answer has `conforms` (no MUST is violated), `results`, `verdicts` (one a payload: a list or a file of lines
    has many, and one that cannot be read has an `error`) and `json()`; `validation.formats.FORMATS` has its writers.
    Raises InvalidInput where the document as a whole cannot be read, NotFound for a profile that there is not.
    It runs in this process and to its end: for documents of strangers use `provstore validate`, whose workers can be
    stopped.
    """
    versions = [SHIPPED.find(each) for each in ([profile] if isinstance(profile, str) else profile)]
    rules = {version.token: described(version, SHIPPED).rules for version in versions}
    body, file = _body(data, media_type, base)
    items = [intake.read_document(body)] if intake.is_rdf(body.media_type) else intake.read_payloads(body)
    return Validation(rules, [_verdict(item, list(rules), base, file) for item in items])


def _body(data: object, media_type: str | None, base: str) -> tuple[Body, str | None]:
    """The bytes and what they are, and the name of the file where it is one."""
    file = None
    if isinstance(data, Path):
        file = str(data)
        media_type = media_type or media_type_of(data.name.removesuffix(".gz")) or intake.JSON
        try:
            data = data.read_bytes()
        except OSError as error:
            raise InvalidInput(f"{file}: {error.strerror or error}") from error
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if not isinstance(data, bytes):
        data, media_type = json.dumps(data).encode(), intake.JSON
    begin = b"".join(data[:256].split())
    guessed = intake.JSON if begin.startswith((b"{", b"[{")) else "text/turtle"
    return Body(data, media_type or guessed, None, base, Limits()), file


def _verdict(item: Item, profiles: Sequence[str], base: str, file: str | None) -> Verdict:
    where = Location(file, **item.where)
    if item.mapped is None:
        return Verdict(where, None, item.error or InvalidInput("the payload was not mapped"))
    judged = tuple(_judged(profile, item.mapped) for profile in profiles)
    task = locate.Task(item.payload, item.media_type, item.begins, where, item.mapped, base, judged)
    return Verdict(where, item.mapped.record, None, locate.job(task))


def _judged(profile: str, mapped: Mapped) -> Judgement:
    results, report = told(Task(SHIPPED, profile, mapped.whole))
    return Judgement.of(profile, results, report)
