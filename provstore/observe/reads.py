"""What a run read, as tags of an MLflow run: `tags` writes them, `parse` reads them back.

    provstore.reads    {"provstore": "reads/1", "count": 2, "sha256": "…", "tags": 1}
    provstore.reads.0  [{"md5": "9a0364…", "path": "/data/train.csv", "sha256": "b94d27…", "size": 11, "via": "open",
                         "when": "before"},
                        {"url": "https://example.org/rates.csv", "via": "urllib", "when": "during"}]

Each tag is JSON by itself, in ASCII and of at most `TAG_LENGTH` characters; `sha256` is of the canonical text of the
whole list (`canonical`), so that a tag cut short or taken away is seen. Where there are more reads than `MOST_TAGS`
hold, `artifact` names the file among the run's artifacts that has the whole list, and the tags have its beginning.
`omitted` counts reads that were left out: of a sweep of runs, what was read in earlier ones.

Members of a read, those that are false or empty left out:

- `path` (absolute, links not resolved) or `url`;
- `sha256`, `md5`, `size` in bytes: of the bytes that were read; no digests where `changed` or `refused` says why;
- `via`: what read it: `open`, `sqlite3`, `pyarrow`, `duckdb`, `fsspec`, `urllib`, …;
- `when`: `during` the run, `before` it (outside of any run, or in one that it is nested in), or in `other` runs only;
- `after`: ids of the run's logged models that were logged before it was read, so that it is no origin of them;
- `changed`: it was changed between being opened and being hashed;
- `written`: this program had itself written it before;
- `refused`: why it could not be hashed (deleted since, larger than the limit, …);
- `worker`: a child process read it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

FORMAT: Final = "reads/1"
TAG: Final = "provstore.reads"
ARTIFACT: Final = "provstore/reads.json"
#: MLflow 3 takes 8,000 characters in a tag, earlier versions 5,000.
TAG_LENGTH: Final = 4500
MOST_TAGS: Final = 40
WHEN: Final = ("during", "before", "other")


@dataclass(frozen=True, slots=True)
class Read:
    """One file or address that was read; see the head of this module for what each member says."""

    path: str = ""
    url: str = ""
    sha256: str = ""
    md5: str = ""
    size: int | None = None
    via: str = "open"
    when: str = "before"
    after: tuple[str, ...] = ()
    changed: bool = False
    written: bool = False
    refused: str = ""
    worker: bool = False


@dataclass(frozen=True, slots=True)
class Reads:
    """What the tags of a run tell of its reads.

    `complete` is False where tags are missing or cut short, or the list goes on in the artifact that `artifact` names.
    `count` and `sha256` are those of the whole list; `omitted` more were left out of it.
    """

    reads: tuple[Read, ...]
    count: int
    sha256: str
    artifact: str = ""
    complete: bool = True
    omitted: int = 0


def canonical(reads: Iterable[Read]) -> str:
    """The text that `sha256` of the tag `provstore.reads` is of: a JSON list, keys sorted, no white space, ASCII."""
    return _dumps([_object(each) for each in reads])


def tags(reads: Iterable[Read], omitted: int = 0, most: int = MOST_TAGS) -> dict[str, str]:
    """The tags that tell these reads; where `artifact` stands in the first, `canonical` is to be kept there.

    `omitted` counts what is known to be left out of them.
    """
    every = [_object(each) for each in reads]
    chunks: list[list[dict[str, Any]]] = [[]]
    length = 2
    for each in every:
        more = len(_dumps(each)) + 1
        if length + more > TAG_LENGTH and chunks[-1]:
            chunks.append([])
            length = 2
        chunks[-1].append(each)
        length += more
    long = len(chunks) > most or any(len(_dumps(chunk)) > TAG_LENGTH for chunk in chunks)
    shown = [text for chunk in chunks[:most] if len(text := _dumps(chunk)) <= TAG_LENGTH]
    head: dict[str, Any] = {"provstore": FORMAT, "count": len(every), "tags": len(shown)}
    head["sha256"] = hashlib.sha256(_dumps(every).encode()).hexdigest()
    if long:
        head["artifact"] = ARTIFACT
    if omitted:
        head["omitted"] = omitted
    return {TAG: _dumps(head), **{f"{TAG}.{n}": text for n, text in enumerate(shown)}}


def parse(told: Mapping[str, str]) -> Reads | None:
    """What the tags of a run say of its reads; None if they say nothing. Never raises: what is no read is left out."""
    head = _loads(told.get(TAG, ""))
    if not isinstance(head, dict) or head.get("provstore") != FORMAT:
        return None
    count, many, omitted = head.get("count"), head.get("tags"), head.get("omitted")
    found: list[Read] = []
    for n in range(min(many, 10_000) if isinstance(many, int) else 0):
        found += parse_list(told.get(f"{TAG}.{n}", ""))
    sha256 = str(head.get("sha256", ""))
    complete = hashlib.sha256(canonical(found).encode()).hexdigest() == sha256
    artifact = head.get("artifact")
    return Reads(
        tuple(found),
        count if isinstance(count, int) else len(found),
        sha256,
        artifact if isinstance(artifact, str) else "",
        complete,
        omitted if isinstance(omitted, int) else 0,
    )


def joined(told: Reads, whole: Iterable[Read]) -> Reads:
    """What tags tell, and a list that is said to be the whole one: it is, where its digest is what the tags give."""
    found = tuple(whole)
    if hashlib.sha256(canonical(found).encode()).hexdigest() == told.sha256:
        return replace(told, reads=found, complete=True)
    return replace(told, reads=tuple(dict.fromkeys((*told.reads, *found))))


def parse_list(text: str) -> list[Read]:
    """The reads of one tag, or of the artifact."""
    return of_list(_loads(text))


def of_list(listed: Any) -> list[Read]:
    """The reads in a list of objects."""
    return [read for each in listed if (read := _read(each))] if isinstance(listed, list) else []


_FIELDS: Final = tuple(each.name for each in fields(Read))
_TEXTS: Final = ("path", "url", "sha256", "md5", "via", "when", "refused")


def _object(read: Read) -> dict[str, Any]:
    told = {name: getattr(read, name) for name in _FIELDS}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in told.items()
        if value is not None and value is not False and value not in ("", ())
    }


def _read(value: Any) -> Read | None:
    if not isinstance(value, dict):
        return None
    size, after = value.get("size"), value.get("after")
    texts = {name: value[name] for name in _TEXTS if isinstance(value.get(name), str)}
    if not (texts.get("path") or texts.get("url")) or texts.get("when", "before") not in WHEN:
        return None
    return Read(
        **texts,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        after=tuple(str(each) for each in after) if isinstance(after, list) else (),
        changed=value.get("changed") is True,
        written=value.get("written") is True,
        worker=value.get("worker") is True,
    )


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
