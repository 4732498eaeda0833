"""The validation reports of SHACL §3.6, as Turtle."""

from __future__ import annotations

from provstore.validation.results import Validation


def turtle(validation: Validation) -> str:
    """The reports of all documents, one after the other; what has none is a comment."""
    parts = []
    for each in validation.verdicts:
        parts += [_comment(f"not read: {each.error}")] if each.error else []
        for judged in each.profiles:
            parts += [judged.report] if judged.report else [_comment(f"{judged.profile}: no report")]
            parts += [] if judged.report else [_comment(result.message) for result in judged.results]
    return "\n".join(parts)


def _comment(text: str) -> str:
    return f"# {' '.join(text.split())}\n"
