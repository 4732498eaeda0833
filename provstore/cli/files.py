"""Files as commands take them: files, directories, globs and standard input, and what each of them holds."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from provstore.capture import formats
from provstore.capture.syntax import SYNTAXES, media_type_of
from provstore.core import intake
from provstore.errors import InvalidInput, Misconfigured

_EVENTS = (".json", ".ndjson", ".jsonl")


def found(patterns: Sequence[str]) -> list[str]:
    """The files that are meant, `-` for standard input; Misconfigured where there is none."""
    files = [name for pattern in patterns for name in _found(pattern)]
    if not files:
        ends = ", ".join([*_EVENTS, *(end for _, ends in SYNTAXES.values() for end in ends)])
        raise Misconfigured(f"no file matches {' '.join(patterns)}: of a directory those are taken that end in {ends}")
    return files


def _found(pattern: str) -> Iterator[str]:
    if pattern == "-":
        yield pattern
    elif Path(pattern).is_dir():
        yield from sorted(str(p) for p in Path(pattern).rglob("*") if p.is_file() and _known(p.name))
    elif glob.has_magic(pattern) and not Path(pattern).exists():
        yield from sorted(name for name in glob.glob(pattern, recursive=True) if not Path(name).is_dir())
    else:
        yield pattern


def _known(name: str) -> bool:
    bare = name.removesuffix(".gz")
    return bare.endswith(_EVENTS) or media_type_of(bare) is not None


def named(given: str | None, option: str) -> str | None:
    """The media type that an option is given: one itself, a file extension, or a format's name; else Misconfigured."""
    if given is None or given in formats.GENERIC or formats.of_media_type(given) or intake.is_rdf(given):
        return given
    if form := formats.named(given):
        return form.media_types[0]
    meant = "application/json" if f".{given}" in _EVENTS else media_type_of(f".{given}")
    if meant is None:
        known = ", ".join(f.name for f in formats.FORMATS)
        raise Misconfigured(
            f"{option} is json, jsonl, {known}, or an RDF extension or media type such as ttl, got {given!r}"
        )
    return meant


def media_type(name: str, given: str | None, option: str) -> str:
    """What a file holds, by its name unless it is given; InvalidInput where neither tells."""
    bare = name.removesuffix(".gz")
    if given:
        return given
    if bare.endswith(_EVENTS) or bare == "-":
        return "application/json"
    by_name = media_type_of(bare)
    if by_name is None:
        other = formats.ELSEWHERE.get(Path(bare).suffix, "")
        raise InvalidInput(f"the file name does not tell what it holds: give {option}{other and '; '}{other}")
    return by_name


def read(name: str) -> bytes:
    """The bytes of a file or of standard input; InvalidInput where they cannot be read."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InvalidInput(error.strerror or str(error)) from error


def replace(target: Path, data: bytes) -> None:
    """Write a file as a whole: whoever reads it meanwhile sees what was there before, never a part."""
    if target.exists() and not target.is_file():
        target.write_bytes(data)  # a pipe, a terminal
        return
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def place(name: str, said: Mapping[str, Any]) -> str:
    """Where something stands: the file, and the line and JSON pointer in it, as far as they are said."""
    line, pointer = said.get("line"), said.get("pointer")
    where = ", ".join([*([f"line {line}"] if line is not None else []), *([str(pointer)] if pointer else [])])
    return f"{name} at {where}" if where else name


def sizes(names: Sequence[str]) -> list[int]:
    """The bytes of each file, 0 where that is not known."""
    return [Path(name).stat().st_size if name != "-" and Path(name).is_file() else 0 for name in names]
