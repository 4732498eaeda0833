"""The validation reports of SHACL §3.6, as Turtle."""

from __future__ import annotations

from provstore.validation.results import Validation


def turtle(validation: Validation) -> str:
    """The reports of all documents, one after the other; what has none is a comment."""
    parts = []
    for each in validation.verdicts:
        parts += [f"# not read: {' '.join(str(each.error).split())}\n"] if each.error else []
        parts += [
            judged.report or f"# {judged.profile}: {' '.join(judged.results[0].message.split())}\n"
            for judged in each.profiles
        ]
    return "\n".join(parts)
