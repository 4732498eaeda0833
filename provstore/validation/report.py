"""The validation report of SHACL §3.6 as Turtle, with the results of nested shapes under sh:detail."""

from __future__ import annotations

from collections.abc import Iterable

from provstore.validation.closures import ValidationResult
from provstore.validation.paths import Alternative, Inverse, Path, Predicate, Repeated, Sequence
from provstore.validation.shapes import SH, Sparql

_HEAD = f"@prefix sh: <{SH}> .\n\n"
_NAMES = {"*": "zeroOrMorePath", "+": "oneOrMorePath", "?": "zeroOrOnePath"}


def turtle(results: Iterable[ValidationResult]) -> str:
    """The report as a Turtle document; blank nodes of the data and of the shapes keep their labels.

    `sh:conforms` is false where there is any result, whatever its severity (SHACL §3.6.1.1).
    """
    written = [f"    sh:result {_result(each, 1)}" for each in results]
    conforms = f"    sh:conforms {'false' if written else 'true'}"
    return f"{_HEAD}[] a sh:ValidationReport ;\n" + " ;\n".join([conforms, *written]) + " .\n"


def _result(result: ValidationResult, depth: int) -> str:
    said = ["a sh:ValidationResult", f"sh:focusNode {result.focus}"]
    if result.path is not None:
        said.append(f"sh:resultPath {path(result.path)}")
    if result.value is not None:
        said.append(f"sh:value {result.value}")
    said.append(f"sh:resultSeverity {result.shape.severity}")
    said.append(f"sh:sourceConstraintComponent {result.constraint.component}")
    said.append(f"sh:sourceShape {result.shape.node}")
    if isinstance(result.constraint, Sparql):
        said.append(f"sh:sourceConstraint {result.constraint.source}")
    said += [f"sh:resultMessage {message}" for message in result.messages or result.shape.messages]
    said += [f"sh:detail {_result(each, depth + 1)}" for each in result.details]
    inside = f" ;\n{'    ' * (depth + 1)}".join(said)
    return f"[\n{'    ' * (depth + 1)}{inside}\n{'    ' * depth}]"


def path(of: Path) -> str:
    """A path as SHACL §2.3.1 writes it in RDF, in Turtle."""
    match of:
        case Predicate(iri):
            return iri
        case Inverse(inner):
            return f"[ sh:inversePath {path(inner)} ]"
        case Sequence(paths):
            return f"( {' '.join(map(path, paths))} )"
        case Alternative(paths):
            return f"[ sh:alternativePath ( {' '.join(map(path, paths))} ) ]"
        case Repeated(inner, mark):
            return f"[ sh:{_NAMES[mark]} {path(inner)} ]"
