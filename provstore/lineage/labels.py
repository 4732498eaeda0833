"""What things are called in front of people, from their IRIs: a state by its dataset, a run by its job."""

from __future__ import annotations

import re
from urllib.parse import unquote

from provstore.lineage.moment import Moment
from provstore.views.edges import Relation

#: A dataset, model version of a name, or job of this store, and what hangs below it (see `iris`).
_NAMED = re.compile(r"/(?:dataset|job)/[^/]+/([^/]+)(?:/(?:read|write|version|declared)/[^/]+)?\Z")
#: A last part that says little without the one before it: `prediction/1`, `run/T2`.
_SHORT = 3


def label(iri: str) -> str:
    """What an IRI says to people: the name of a dataset or job, else its last part, decoded; never empty."""
    if named := _NAMED.search(iri):
        return unquote(named[1])
    parts = [unquote(part) for part in re.split(r"[/#:]", iri) if part]
    if not parts:
        return iri
    few = len(parts[-1]) <= _SHORT or parts[-1].isdigit()
    return f"{parts[-2]}/{parts[-1]}" if few and len(parts) > 2 else parts[-1]


def label_of(moment: Moment, node: int) -> str:
    """As `label`; an activity that is a run of a job goes by the job's name."""
    jobs = moment.objects(node, Relation.JOB)
    return label(moment.graph.iri_of(jobs[0] if jobs else node))
