"""From bytes that somebody sent to submissions for the ledger: split, map, and say what was wrong where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from provstore.capture import formats, payloads
from provstore.capture.formats import Format
from provstore.capture.payloads import Limits, Part
from provstore.capture.redaction import refuse_secrets
from provstore.capture.syntax import SYNTAXES, Document, map_document
from provstore.errors import InvalidInput, ProvStoreError, TooLarge, UnsupportedMedia
from provstore.model import Liberty, Mapped, Submission
from provstore.security.process import JobCrash, JobTimeout

JSON = "application/json"
#: Bodies beyond this, once inflated, are mapped by a worker, so that nobody else waits for them.
_SMALL = 256 * 1024
#: And beyond this where they hold batches of items, which say much in few bytes.
_TERSE, _ITEMS = 16 * 1024, b'"items/'


@dataclass(frozen=True, slots=True)
class Item:
    """One payload of a body: mapped, or refused with the reason; `where` is its pointer or line in the body.

    `begins` is the line and the column of the body at which it begins, counted from 1.
    """

    payload: bytes
    media_type: str
    mapped: Mapped | None
    error: InvalidInput | None
    where: dict[str, Any]
    begins: tuple[int, int] = (1, 1)

    def submission(self, actor: str) -> Submission:
        """The item on its way to the ledger; its error where it was refused."""
        if self.mapped is None:
            raise self.error or InvalidInput("the payload was not mapped")
        return Submission(self.payload, self.media_type, actor, self.mapped)


@dataclass(frozen=True, slots=True)
class Body:
    """What one request or file held; `redact` is the setting of that name."""

    data: bytes
    media_type: str
    encoding: str | None
    base: str
    limits: Limits
    redact: str = "off"


def is_small(body: Body) -> bool:
    """Whether a body, also once inflated, is mapped in no time; so is one whose fault shows at once.

    A client that compresses single events, many at a time, must not find all workers busy.
    """
    limits = replace(body.limits, body_bytes=_SMALL, inflated_bytes=_SMALL)
    try:
        text = payloads.inflated(body.data, body.encoding, limits)
    except TooLarge:
        return False
    except ProvStoreError:
        return True
    return len(text) <= _TERSE or _ITEMS not in text


def read_events(body: Body) -> list[Item]:
    """The OpenLineage events of a body (one, an array, or one a line), each mapped or refused by itself.

    InvalidInput or TooLarge where the body as a whole cannot be read.
    """
    return _read(body, formats.OPENLINEAGE)


def read_payloads(body: Body) -> list[Item]:
    """As `read_events`, of the format that the media type names; of a generic one each payload is recognised."""
    return _read(body, formats.of_media_type(body.media_type))


def _read(body: Body, form: Format | None) -> list[Item]:
    if form and form.name == "cyclonedx" and body.data.lstrip()[:1] == b"<":
        raise InvalidInput(f"the body is XML, not JSON; {formats.ELSEWHERE['.xml']}", line=1)
    parts = payloads.split(body.data, body.media_type, body.encoding, body.limits)
    return [_payload(part, form, body) for part in parts]


def _payload(part: Part, form: Format | None, body: Body) -> Item:
    where: dict[str, Any] = {}
    if part.pointer:
        where["pointer"] = part.pointer
    if part.line is not None:
        where["line"] = part.line
    if part.error is not None:
        return Item(part.raw, JSON, None, part.error, where)
    form = form or formats.of_payload(part.value)
    media_type = form.media_types[0]
    try:
        spared = form.sparing.spare(part.raw, part.value, body.redact)
        mapped = form.map(spared.value, base=body.base)
        if spared.taken:
            taken = (Liberty(pointer, "taken out before it was kept") for pointer in spared.taken)
            mapped = replace(mapped, liberties=(*mapped.liberties, *taken))
        return Item(spared.raw, media_type, mapped, None, where, part.begins)
    except InvalidInput as error:
        if part.pointer:
            error.pointer = f"{part.pointer}{error.pointer or ''}"
        if error.line is None:
            error.line = part.line
        return Item(part.raw, media_type, None, error, where)


def read_document(body: Body) -> Item:
    """The one RDF document of a body; run it in a worker, since what is sent may never come to an end."""
    media_type = body.media_type.partition(";")[0].strip().lower()
    data = payloads.inflated(body.data, body.encoding, body.limits)
    mapped = map_document(Document(data, media_type, body.base))
    if body.redact != "off":
        refuse_secrets(data, media_type, mapped.quads)
    return Item(data, media_type, mapped, None, {})


@contextmanager
def in_worker(seconds: float) -> Iterator[None]:
    """What keeps a worker from reading a body is the fault of the body: TooLarge, InvalidInput."""
    try:
        yield
    except JobTimeout as error:
        raise TooLarge(
            f"reading the document took longer than {seconds:g} s: split it, or name its blank nodes"
        ) from error
    except JobCrash as error:
        raise TooLarge("reading the document needed more memory than it may have") from error


def check_media_type(media_type: str) -> None:
    """UnsupportedMedia where a media type is neither of RDF nor of JSON."""
    bare = media_type.partition(";")[0].strip().lower()
    if bare not in formats.GENERIC and not formats.of_media_type(media_type) and not is_rdf(media_type):
        known = sorted({*SYNTAXES, *(m for f in formats.FORMATS for m in f.media_types)})
        raise UnsupportedMedia(formats.ELSEWHERE.get(bare) or f"{bare!r} is none of {', '.join(known)}")


def is_rdf(media_type: str) -> bool:
    """Whether the media type is one of the RDF syntaxes, and says of no format that comes in one."""
    return formats.of_media_type(media_type) is None and media_type.partition(";")[0].strip().lower() in SYNTAXES
