"""The values inside a facet, each with an address: `<content#JSON-pointer> rdf:value value`.

One statement a value, in the content's own graph, for every facet, whether its key means anything here or not. The
pointer is the fragment of the node (RFC 6901 §6); where that is percent-encoded, `ps:pointer` has it as it is.
Strings, whole numbers, other numbers and booleans are XSD literals; null, `[]` and `{}` are rdf:JSON literals.

Facets of the registry have all their values. Of any other, so that a query plan of thousands of nodes costs little,
values and pointers above LONGEST characters are left out, and what follows the first MOST, the least deep first;
`ps:omitted` then counts those that are only in `ps:json`.
"""

from __future__ import annotations

from typing import Any, Final

from provstore import rdf
from provstore.capture.facets.graph import Graph, escaped, term_of, token
from provstore.vocab import PS, RDF_VALUE

#: How many values of a facet outside of the registry are stated.
MOST: Final = 200
#: How many characters a string of such a facet may have to be stated.
LONGEST: Final = 1000


def say_leaves(graph: Graph, facet: object, *, whole: bool) -> None:
    """Every value of the facet; `whole` says that nothing may be left out."""
    omitted = found = 0
    level: list[tuple[str, str, Any]] = [("", "", facet)]  # fragment, pointer, value: all of one depth
    while level:
        deeper: list[tuple[str, str, Any]] = []
        for fragment, pointer, value in level:
            if value and type(value) is dict:
                deeper += [(f"{fragment}/{token(k)}", f"{pointer}/{escaped(k)}", v) for k, v in value.items()]
            elif value and type(value) is list:
                deeper += [(f"{fragment}/{i}", f"{pointer}/{i}", each) for i, each in enumerate(value)]
            elif not whole and (found == MOST or _is_long(pointer, value)):
                omitted += 1
            else:
                found += 1
                _say(graph, fragment, pointer, value)
        level = deeper
    if omitted:
        graph.say(graph.node, PS.omitted, rdf.integer(omitted))


def _is_long(pointer: str, value: object) -> bool:
    return len(pointer) > LONGEST or (type(value) is str and len(value) > LONGEST)


def _say(graph: Graph, fragment: str, pointer: str, value: object) -> None:
    node = f"<{graph.iri}#{fragment}>"
    graph.say(node, RDF_VALUE, term_of(value))
    if fragment != pointer:
        graph.say(node, PS.pointer, rdf.literal(pointer))
