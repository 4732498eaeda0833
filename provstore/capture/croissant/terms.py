"""What the names in a Croissant document mean, whatever its context calls them: read as its recommended context has it.

As much of JSON-LD 1.1 as documents about datasets use: prefixes, terms, `@vocab`, whole IRIs, values, lists, languages,
a flat `@graph`. Contexts that stand elsewhere are known, or passed over; none is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provstore.capture.draft import Object

_CR: Final = "http://mlcommons.org/croissant/"
_SCHEMA: Final = "https://schema.org/"
#: Prefixes that documents use without, or with their own, declaration; the first of a namespace is its usual one.
_PREFIXES: Final = {
    "sc": _SCHEMA,
    "schema": _SCHEMA,
    "rai": f"{_CR}RAI/",
    "cr": _CR,
    "ml": _CR,
    "dct": "http://purl.org/dc/terms/",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "qudt": "http://qudt.org/schema/qudt/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "ps": "https://w3id.org/provstore/ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
#: Other ways to write a namespace: Croissant 0.8 had one of its own.
_SAME: Final = (
    ("http://schema.org/", _SCHEMA),
    ("https://www.schema.org/", _SCHEMA),
    ("https://mlcommons.org/croissant/", _CR),
    ("http://mlcommons.org/schema/", _CR),
)
_KNOWN: Final = re.compile(r"https?://(?:www\.)?(?:schema\.org|mlcommons\.org/croissant)(?:/|\Z)")
_CROISSANT: Final = re.compile(r"https?://(?:www\.)?mlcommons\.org/(?:croissant|schema)/")
_PROFILE: Final = re.compile(r"https?://(?:www\.)?mlcommons\.org/croissant/1\.\d+/?\Z")
#: How a document may say that it conforms that has no context.
_CONFORMS: Final = ("conformsTo", "dct:conformsTo", "dcterms:conformsTo", "http://purl.org/dc/terms/conformsTo")
#: Members that hold JSON as it is: names in them are those of columns.
_JSON: Final = ("data", "examples")
#: Members that hold other nodes; in any other a reference stays one.
_NODES: Final = (
    *("distribution", "recordSet", "field", "subField", "annotation", "source", "extract", "creator", "publisher"),
    *("prov:wasGeneratedBy", "prov:wasAssociatedWith", "prov:wasAttributedTo", "usageInfo", "license"),
)
_DEPTH: Final = 100


def recognised(value: Object) -> bool:
    """Whether an object is a Croissant document: it says that it conforms, or is a dataset told in its terms."""
    if not any(key.startswith("@") or key in _CONFORMS for key in value):
        return False
    context = value.get("@context")
    names, nodes = Names(context), [value, *(each for each in _list(value.get("@graph")) if isinstance(each, dict))]
    said = [each for node in nodes for key in node if names.usual(key) == "conformsTo" for each in _list(node[key])]
    if any(_PROFILE.match(str(_one(each))) for each in said):
        return True
    told = [each for one in _list(context) for each in _addresses(one)]
    return any(map(_is_dataset, nodes)) and any(map(_CROISSANT.match, told))


def _addresses(context: Any) -> list[str]:
    held = context.values() if isinstance(context, dict) else [context]
    return [each for each in held if isinstance(each, str)]


def _is_dataset(node: Object) -> bool:
    return any(str(each).rpartition("/")[2].rpartition(":")[2] == "Dataset" for each in _list(node.get("@type")))


class Names:
    """What names mean by the context of a document; `strangers` are contexts that nobody here knows."""

    __slots__ = ("_terms", "_vocabulary", "strangers")

    def __init__(self, context: Any) -> None:
        self._terms: dict[str, Any] = {}
        self._vocabulary = _SCHEMA
        self.strangers: list[str] = []
        for each in _list(context):
            if isinstance(each, dict):
                self._terms.update(each)
            elif isinstance(each, str) and not _KNOWN.match(each):
                self.strangers.append(each)
        if isinstance(vocabulary := self._terms.get("@vocab"), str):
            self._vocabulary = self.expanded(vocabulary) if ":" in vocabulary else _SCHEMA

    def _definition(self, name: str) -> str:
        found = self._terms.get(name)
        found = found.get("@id") if isinstance(found, dict) else found
        return found if isinstance(found, str) and not name.startswith("@") else ""

    def expanded(self, name: str, depth: int = 0) -> str:
        """A term or a name with a prefix as an IRI; itself where it has no meaning here."""
        if (own := self._definition(name)) and own != name and depth < 5:
            return self.expanded(own, depth + 1)
        prefix, colon, rest = name.partition(":")
        namespace = self._definition(prefix) or _PREFIXES.get(prefix, "")
        return f"{namespace}{rest}" if colon and namespace and not rest.startswith("//") else name

    def iri(self, name: str) -> str:
        """The IRI of a member or a type."""
        whole = self.expanded(name)
        whole = whole if ":" in whole else f"{self._vocabulary}{whole}"
        return next((own + whole[len(other) :] for other, own in _SAME if whole.startswith(other)), whole)

    def usual(self, name: str) -> str:
        """A member under the name that the recommended context, or everybody, has for it."""
        if name.startswith("@"):
            return name
        whole = self.iri(name)
        for prefix, namespace in _PREFIXES.items():
            rest = whole[len(namespace) :]
            if whole.startswith(namespace) and rest:
                return rest if prefix in ("sc", "cr") or rest == "conformsTo" else f"{prefix}:{rest}"
        return name if ":" in name else whole

    def type(self, name: str) -> str:
        """A type with its usual prefix."""
        whole = self.iri(name)
        for prefix, namespace in _PREFIXES.items():
            if whole.startswith(namespace):
                return f"{prefix}:{whole[len(namespace) :]}"
        return name

    def by_language(self, name: str, held: Object) -> Any:
        """Of the texts in several languages (`@container`) the one in the document's, else the first."""
        said = self._terms.get(name)
        if not (isinstance(said, dict) and said.get("@container") == "@language") or "@value" in held:
            return held
        return held.get(str(self._terms.get("@language"))) or next(iter(held.values()), "")


def usual(document: Object, names: Names) -> Object:
    """The document in the usual names; a document in them is told as it is.

    Of a graph it is the dataset, with the nodes that it refers to in their places.
    """
    graph = [each for each in _list(document.get("@graph")) if isinstance(each, dict)]
    nodes = {str(each["@id"]): each for each in graph if "@id" in each}
    told = next((each for each in graph if _is_dataset(each)), document)
    found: Object = _Usual(names, nodes).object(told, 0)
    return {**found, "@context": document["@context"]} if "@context" in document else found


class _Usual:
    """Writes a document anew; `nodes` are those of its graph."""

    def __init__(self, names: Names, nodes: Mapping[str, Object]) -> None:
        self._names, self._nodes = names, nodes
        self._left = 4 * len(nodes)  # how often nodes are put in their places: they may refer to each other in a ring

    def object(self, held: Object, depth: int) -> Object:
        found: Object = {}
        for key, value in held.items():
            name = self._names.usual(key)
            if key != "@context":
                value = self._value(key, name, value, depth)
                found[name] = [*_list(found[name]), *_list(value)] if name in found else value
        return found

    def _value(self, key: str, name: str, value: Any, depth: int) -> Any:
        if name in _JSON or depth > _DEPTH:
            return value
        if isinstance(value, list):
            return [self._value(key, name, each, depth + 1) for each in value]
        if name == "dataType":
            return self._names.type(_one(value)) if isinstance(_one(value), str) else value
        if not isinstance(value, dict):
            return value
        value = self._names.by_language(key, value)
        for wrapped in ("@value", "@list", "@set"):
            if isinstance(value, dict) and wrapped in value:
                return self._value(key, name, value[wrapped], depth + 1)
        if not isinstance(value, dict):
            return value
        if name in _NODES and value.keys() == {"@id"} and self._left > 0:
            self._left -= 1
            value = self._nodes.get(str(value["@id"]), value)
        return self.object(value, depth + 1)


def _one(value: Any) -> Any:
    return value.get("@id", value) if isinstance(value, dict) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
