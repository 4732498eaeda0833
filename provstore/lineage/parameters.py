"""What lineage and impact can be asked: said once for the routes, the command line and the documentation."""

from __future__ import annotations

#: The classes that are judged unless others are asked for.
JUDGED = ("ModelVersion", "Prediction", "Decision")

#: Parameter → what it says; one that begins with `true: ` is a switch.
LINEAGE = {
    "entity": "an IRI, or a name that only one dataset, model or job has",
    "direction": "upstream (what it came from; the default), downstream (what came from it); with picture also both",
    "by": "derivation (the default), certain (only steps that are known), or activity (all that runs used)",
    "depth": "how many steps to go at most",
    "level": "state (exact; the default), asset or run: what the states are told as; with picture also column",
    "kind": "class names to list, such as ModelVersion,Prediction",
    "column": "lineage of this column of the entity",
    "stop-at-masked": "true: with column, do not follow steps that mask the value",
    "to": "only what lies on a way from the entity to this one",
    "picture": "true: as the page draws it, with names, all that joins what is listed, and how many more there are",
    "roots": "true: only where the lineage ends, and what is not a declared source",
    "compare": "what differs between the origins of the entity and of this one",
    "as-of": "only what existed by this date-time",
    "at-index": "only what was recorded by this ledger index",
    "other-as-of": "with compare: the date-time for the other one",
    "other-at-index": "with compare: the ledger index for the other one",
    "limit": "how many to list at most, 50 unless said otherwise (1000 with column)",
    "cursor": "what an answer gave as next: the page after it",
}
IMPACT = {
    "entity": "what was bad: a dataset, version, model, state or item, by IRI or by a name that only one asset has",
    "column": "only this column of it was bad",
    "after": "the first instant at which it was bad, a day or date-time",
    "before": "the instant from which it was good again",
    "kind": f"class names to judge; {','.join(JUDGED)} unless said otherwise",
    "verdict": "list only these: affected, possibly affected or not affected",
    "as-of": "only what existed by this date-time",
    "at-index": "only what was recorded by this ledger index",
    "limit": "how many to list at most, 1000 unless said otherwise",
    "cursor": "what an answer gave as next: the page after it",
}
#: What a parameter may be, where that is one of a few.
CHOICES = {
    "direction": ("upstream", "downstream", "both"),
    "by": ("derivation", "certain", "activity"),
    "level": ("state", "asset", "run", "column"),
    "verdict": ("affected", "possibly affected", "not affected"),
}
PARAMETERS = {"lineage": LINEAGE, "impact": IMPACT}
#: What the command line can print an answer as.
FORMATS = {
    "lineage": ("table", "json", "ndjson", "csv", "tsv", "turtle"),
    "impact": ("table", "json", "ndjson", "csv", "tsv"),
}
