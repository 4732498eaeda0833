"""What an export can select: said once for the route, the command line and the documentation."""

from __future__ import annotations

#: Parameter → what it says; one that begins with `true: ` is a switch. Said once for route, command line and manual.
PARAMETERS = {
    "record": "this record, by its IRI or the digest in it; may be repeated",
    "lineage": "the records behind everything that this came from, an IRI or a name; may be repeated",
    "depth": "with lineage: how many steps to go at most",
    "query": "the records in the answer of this canned query, and those that say something of its things but agents",
    "param": "with query: a parameter of it as key=value; may be repeated",
    "sparql": "as query, but a SPARQL query (SELECT, CONSTRUCT or DESCRIBE)",
    "after": "only what was received from this day or date-time on",
    "before": "only what was received before this day or date-time",
    "all": "true: every record",
    "from": "the size of a checkpoint that was kept: its consistency proof goes in too; may be repeated",
}
