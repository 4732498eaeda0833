"""What a mapping makes of a fixture, as it was written down: `tests/fixtures/{format}/{name}.txt` beside its payload.

A line is a statement with its names shortened (`~` is the id base), and a subject that is the one above is left out.

`python -m tests.goldens` writes them again after a change to a mapping; the difference is then read by a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from provstore import rdf
from provstore.capture import formats
from provstore.model import Mapped
from tests.stores import BASE

#: The formats whose fixtures have a golden form.
FORMATS = ("croissant", "dta", "expectations", "fairness", "soda")
FIXTURES = Path(__file__).parent / "fixtures"
_SHORT = {
    BASE + "/": "~",
    "https://w3id.org/provstore/ns#": "ps:",
    "http://www.w3.org/ns/prov#": "prov:",
    "http://www.w3.org/ns/dqv#": "dqv:",
    "http://www.w3.org/ns/earl#": "earl:",
    "http://www.w3.org/ns/dcat#": "dcat:",
    "http://www.w3.org/2001/XMLSchema#": "xsd:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://purl.org/dc/terms/": "dct:",
    "https://schema.org/": "schema:",
    "https://w3id.org/dpv#": "dpv:",
    "http://mlcommons.org/croissant/": "cr:",
}


def payloads(path: Path) -> list[object]:
    """The payloads of a fixture: a file of JSON has one, one of lines several."""
    text = path.read_text()
    return [json.loads(line) for line in (text.splitlines() if path.suffix == ".jsonl" else [text])]


def mapped(path: Path) -> list[Mapped]:
    """The payloads of a fixture, mapped by the format that recognises them: that of its folder."""
    found = []
    for value in payloads(path):
        assert isinstance(value, dict)
        form = formats.of_payload(value)
        assert form.name == path.parent.name
        found.append(form.map(value, base=BASE))
    return found


def written(path: Path) -> str:
    """The statements of a fixture's records, a blank line between two records."""
    return "\n".join("".join(_lines(each)) for each in mapped(path))


def _lines(record: Mapped) -> Iterator[str]:
    before = ""
    for line in record.quads.decode().splitlines():
        subject, predicate, value, _ = rdf.split(line)
        yield f"{_short(subject.replace(record.record, 'urn:record'))}\n" if subject != before else ""
        yield f"  {_short(predicate)} {_short(value)}\n"
        before = subject


def _short(term: str) -> str:
    for name, short in _SHORT.items():
        term = term.replace(f"<{name}", f"<{short}")
    return term[1:-1] if term.startswith("<") else term


def golden(path: Path) -> Path:
    """Where it is written down what a fixture becomes."""
    return path.with_suffix(".txt")


def fixtures() -> Iterator[Path]:
    """Every fixture that has a golden form."""
    for name in FORMATS:
        for path in sorted([*(FIXTURES / name).glob("*.json"), *(FIXTURES / name).glob("*.jsonl")]):
            if not path.stem.endswith("_broken"):
                yield path


if __name__ == "__main__":
    for each in fixtures():
        golden(each).write_text(written(each))
