"""The examples of a profile as they were written: a TriG file of named graphs `…#<rule>.fails` and `….passes`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_TOKEN = re.compile(
    r'"{3}(?:[^"\\]|\\.|"(?!""))*"{3}|\'{3}(?:[^\'\\]|\\.|\'(?!\'\'))*\'{3}|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
    r"|<[^<>\"{}|^`\\\x00-\x20]*>|\#[^\n]*|[{}]|[^\s{}<>\"'\#]+",
    re.DOTALL,
)
_HEAD = re.compile(r"^\s*@?(?:prefix|base)\b", re.IGNORECASE)


def head(trig: str) -> str:
    """The lines that declare prefixes and the base."""
    return "\n".join(line for line in trig.split("\n") if _HEAD.match(line))


def graphs(trig: str) -> Iterator[tuple[str, str]]:
    """Each named graph: what its name ends in (after `#` of an IRI, or `:` of a prefixed name), and its text."""
    name, begins, depth = "", 0, 0
    for token in _TOKEN.finditer(trig):
        text = token[0]
        if text == "{":
            depth += 1
            begins = token.end() if depth == 1 else begins
        elif text == "}":
            depth -= 1
            if depth == 0:
                yield name, textwrap.dedent(trig[begins : token.start()]).strip()
        elif depth == 0 and not text.startswith("#"):
            name = text.strip("<>").rpartition("#" if text.startswith("<") else ":")[2]
