"""A dataset as a Croissant 1.1 document, from what the store's records say of it and of the state it is in now."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote

from provstore.capture.croissant.columns import EXTRACTS, KEPT
from provstore.capture.described import located
from provstore.vocab import CR, DCAT, DCT, PROV, PS, RAI, RDF_TYPE, SCHEMA

Object = dict[str, Any]

VERSION: Final = "http://mlcommons.org/croissant/1.1"
MEDIA_TYPE: Final = f'application/ld+json; profile="{VERSION}"'

# the terms of the recommended context (specification, appendix 1) and the vocabularies that provenance is told in
CONTEXT: Final[Object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{
        name: f"cr:{name}"
        for name in (
            *(
                "annotation",
                "arrayShape",
                "citeAs",
                "column",
                "containedIn",
                "equivalentProperty",
                "excludes",
                "extract",
            ),
            *("field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset"),
            *("jsonPath", "key", "md5", "parentField", "path", "readLines", "recordSet", "references", "regex"),
            *("repeated", "replace", "samplingRate", "sdVersion", "separator", "source", "subField", "transform"),
            *("unArchive", "value"),
        )
    },
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "prov": "http://www.w3.org/ns/prov#",
    "ps": "https://w3id.org/provstore/ns#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "sosa": "http://www.w3.org/ns/sosa/",
    "qudt": "http://qudt.org/schema/qudt/",
}
_TABLE: Final = re.compile(r"csv|tab-separated|parquet|excel|spreadsheet|arrow|jsonl", re.IGNORECASE)
#: Words in the name of a column's type → Croissant's type; the first that fits.
_TYPES: Final = (
    (re.compile(r"bool", re.IGNORECASE), "sc:Boolean"),
    (re.compile(r"timestamp|datetime", re.IGNORECASE), "sc:DateTime"),
    (re.compile(r"date", re.IGNORECASE), "sc:Date"),
    (re.compile(r"float|double|real|decimal|numeric|number", re.IGNORECASE), "sc:Float"),
    (re.compile(r"int|long", re.IGNORECASE), "sc:Integer"),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """What a few things say: by subject and predicate, as written in N-Triples without brackets and quotes."""

    held: Mapping[str, Mapping[str, tuple[str, ...]]]

    def all(self, subject: str, predicate: str) -> tuple[str, ...]:
        return self.held.get(subject, {}).get(predicate[1:-1], ())

    def one(self, subject: str, predicate: str) -> str:
        return next(iter(self.all(subject, predicate)), "")


def statements(triples: Iterable[tuple[str, str, str]]) -> Statements:
    """Statements from (subject, predicate, object) in any order."""
    held: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for subject, predicate, value in triples:
        held[subject][predicate].add(value)
    return Statements({s: {p: tuple(sorted(v)) for p, v in said.items()} for s, said in held.items()})


@dataclass(frozen=True, slots=True)
class Facts:
    """A dataset, the state it is in (empty where none is known), its schema facet, and measurements of that state."""

    dataset: str
    state: str
    said: Statements
    schema: Object = field(default_factory=dict)
    measures: tuple[tuple[str, str, str], ...] = ()  # metric, value, column


def croissant(facts: Facts) -> Object:
    """The document; members in one order, and nothing in it that no record says but for `url`, if that is unknown."""
    said, dataset = facts.said, facts.dataset
    words = {
        "name": said.one(dataset, DCT.title) or _last(said.one(dataset, PS.name)),
        "description": said.one(dataset, DCT.description),
        "url": said.one(dataset, DCAT.landingPage) or _address(said, dataset),
        "citeAs": said.one(dataset, DCT.bibliographicCitation),
        "version": _version(facts),
        "datePublished": _published(facts),
        "dateModified": said.one(facts.state, PROV.generatedAtTime),
    }
    files = _files(facts)
    live = said.one(dataset, CR.isLiveDataset)
    lists: dict[str, list[Any]] = {
        "license": [*said.all(dataset, DCT.license), *said.all(dataset, DCT.rights)],
        "keywords": list(said.all(dataset, DCAT.keyword)),
        "inLanguage": list(said.all(dataset, DCT.language)),
        "creator": [_agent(said, each) for each in said.all(dataset, PROV.wasAttributedTo)],
        "publisher": [_agent(said, each) for each in said.all(dataset, DCT.publisher)],
        "usageInfo": [_term(said, each) for each in said.all(dataset, SCHEMA.usageInfo)],
        **{f"rai:{name}": list(said.all(dataset, RAI[name])) for name in sorted(RAI.names)},
        "prov:wasDerivedFrom": _sources(facts),
        "prov:wasGeneratedBy": [_activity(said, each) for each in said.all(facts.state, PROV.wasGeneratedBy)],
        "dqv:hasQualityMeasurement": [_measure(each) for each in facts.measures],
        "distribution": files,
        "recordSet": _record_sets(facts, files),
    }
    undigested = any("sha256" not in each and "md5" not in each for each in files if each["@type"] == "cr:FileObject")
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": _address(said, dataset),
        "conformsTo": VERSION,
        **{name: each for name, each in words.items() if each},
        **({"isLiveDataset": live == "true" or not live} if live or undigested else {}),
        **{name: each[0] if len(each) == 1 and name not in _LISTS else each for name, each in lists.items() if each},
    }


_LISTS: Final = frozenset(("distribution", "recordSet"))


def _version(facts: Facts) -> str:
    labels = (facts.said.one(each, PS.version) for each in facts.said.all(facts.state, PROV.specializationOf))
    return next(filter(None, labels), "")


def _published(facts: Facts) -> str:
    """When the state was issued; else when it came to be."""
    return facts.said.one(facts.state, DCT.issued) or facts.said.one(facts.state, PROV.generatedAtTime)


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] or name


def _address(said: Statements, dataset: str) -> str:
    """The address that the dataset's name stands for, where it is one; else its IRI here."""
    namespace, name = said.one(dataset, PS.namespace), said.one(dataset, PS.name)
    whole = f"{namespace}{':' if namespace.startswith('urn:') else '/'}{name}"
    if namespace and not whole.startswith("/") and located(whole) == (namespace, name):
        return whole
    return dataset


def _agent(said: Statements, agent: str) -> Object:
    kinds = said.all(agent, RDF_TYPE)
    kind = "sc:Person" if PROV.Person[1:-1] in kinds else "sc:Organization"
    if PROV.SoftwareAgent[1:-1] in kinds:
        kind = "prov:SoftwareAgent"
    name = said.one(agent, DCT.title) or said.one(agent, SCHEMA.name) or unquote(_last(agent))
    return {"@type": kind, "name": name}


def _term(said: Statements, term: str) -> Object:
    name = said.one(term, DCT.title)
    return {"@type": "sc:DefinedTerm", **({"name": name} if name else {}), "url": term}


def _measure(measured: tuple[str, str, str]) -> Object:
    metric, value, column = measured
    about = {"ps:column": column} if column else {}
    return {
        "@type": "dqv:QualityMeasurement",
        "dqv:isMeasurementOf": {"@id": metric},
        "dqv:value": _number(value),
        **about,
    }


def _number(value: str) -> int | float | str:
    try:
        return int(value) if re.fullmatch(r"-?[0-9]+", value) else float(value)
    except ValueError:
        return value


def _activity(said: Statements, activity: str) -> Object:
    title = said.one(activity, DCT.title) or said.one(said.one(activity, PS.job), PS.name)
    agents = [_agent(said, each) for each in said.all(activity, PROV.wasAssociatedWith)]
    parts = {
        "prov:label": title,
        "prov:startedAtTime": said.one(activity, PROV.startedAtTime),
        "prov:endedAtTime": said.one(activity, PROV.endedAtTime),
        "prov:wasAssociatedWith": agents,
    }
    return {"@type": "prov:Activity", "@id": activity, **{name: each for name, each in parts.items() if each}}


def _sources(facts: Facts) -> list[Object]:
    """The datasets that the state was derived from, but for its own files and single records."""
    said, members = facts.said, set(facts.said.all(facts.state, PROV.hadMember))
    found: dict[str, Object] = {}
    for source in said.all(facts.state, PROV.wasDerivedFrom):
        if source in members:
            continue
        for dataset in said.all(source, PROV.specializationOf):
            if PS.Dataset[1:-1] in said.all(dataset, RDF_TYPE) and dataset != facts.dataset:
                title = said.one(dataset, DCT.title)
                address = _address(said, dataset)
                found[address] = {"@id": address, **({"prov:label": title} if title else {})}
    return [found[address] for address in sorted(found)]


# --- files -----------------------------------------------------------------------------------------------------------


def _files(facts: Facts) -> list[Object]:
    said = facts.said
    members = [(each, _dataset_of(said, each)) for each in said.all(facts.state, PROV.hadMember)]
    files = [(state, dataset) for state, dataset in members if dataset]
    if not files and facts.state:
        return [_file(said, facts.state, facts.dataset, {})]  # it is a file itself, or a table that is like one
    names = {state: _identifier(said, dataset) for state, dataset in files}
    derived = set(said.all(facts.state, PROV.wasDerivedFrom))
    found = []
    for state, dataset in sorted(files, key=lambda each: names[each[0]]):
        told = _file(said, state, dataset, names)
        if state in derived:  # it has a making of its own
            made = [_activity(said, each) for each in said.all(state, PROV.wasGeneratedBy)]
            told |= {"prov:wasGeneratedBy": made[0] if len(made) == 1 else made} if made else {}
        agents = [_agent(said, each) for each in said.all(state, PROV.wasAttributedTo)]
        found.append({**told, **({"prov:wasAttributedTo": agents} if agents else {})})
    return sorted(found, key=lambda each: ("containedIn" in each, each["@id"]))


def _dataset_of(said: Statements, state: str) -> str:
    wholes = said.all(state, PROV.specializationOf)
    return next((each for each in wholes if PS.Dataset[1:-1] in said.all(each, RDF_TYPE)), "")


def _identifier(said: Statements, dataset: str) -> str:
    own = [each for each in said.all(dataset, DCT.identifier) if "//" not in each and each != _address(said, dataset)]
    return own[0] if own else _last(said.one(dataset, PS.name)) or dataset


def _file(said: Statements, state: str, dataset: str, names: Mapping[str, str]) -> Object:
    filters = [each.partition(" ") for each in said.all(dataset, PS.filter)]
    patterns = {kind: [text for k, _, text in filters if k == kind] for kind in ("includes", "excludes")}
    container = next((names[each] for each in said.all(state, DCT.isPartOf) if each in names), "")
    identifier = _identifier(said, dataset)
    one = not patterns["includes"]
    size = said.one(state, PS.byteSize)
    parts = {
        "name": said.one(dataset, DCT.title) or identifier,
        "description": said.one(dataset, DCT.description) if names else "",
        "contentUrl": (said.one(dataset, DCAT.downloadURL) or _path(said, dataset)) if one else "",
        "contentSize": f"{size} B" if size else "",
        "encodingFormat": said.one(state, DCT.format) or ("application/octet-stream" if one else ""),
        "sha256": said.one(state, PS.sha256),
        "md5": said.one(state, PS.md5),
        "containedIn": {"@id": container} if container else None,
        **{kind: each[0] if len(each) == 1 else each for kind, each in patterns.items()},
    }
    kind = "cr:FileObject" if one else "cr:FileSet"
    return {"@type": kind, "@id": identifier, **{name: each for name, each in parts.items() if each}}


def _path(said: Statements, dataset: str) -> str:
    namespace, name = said.one(dataset, PS.namespace), said.one(dataset, PS.name)
    return name if namespace == "file" else f"{namespace}/{name}"


# --- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """The file in which a column is found if nobody says, where there is one; and which of all are sets of files."""

    only: str
    sets: frozenset[str]


def _record_sets(facts: Facts, files: list[Object]) -> list[Object]:
    columns = [each for each in facts.schema.get("fields") or () if isinstance(each, dict) and each.get("name")]
    if not columns:
        return []
    tables = [each for each in files if len(files) == 1 or _TABLE.search(str(each.get("encodingFormat")))]
    sets = frozenset(each["@id"] for each in files if each["@type"] == "cr:FileSet")
    held = _Held(tables[0]["@id"] if len(tables) == 1 else "", sets)
    if all(each.get("type") == "cr:RecordSet" for each in columns):
        return [_record_set(each["name"], each, held) for each in columns]
    name = facts.schema.get("recordSet") or "records"
    return [_record_set(str(name), facts.schema, held)]


def _record_set(name: str, holder: Object, files: _Held) -> Object:
    data = holder.get("data")
    if data:  # an enumeration, whose values are in no file
        files = replace(files, only="")
    identifier = holder.get("@id") or _plain(name)
    said = {"@type": "cr:RecordSet", "@id": identifier, "name": name, **_fields(holder, name, files, "field")}
    return {**said, "data": data} if data else said


def _plain(path: str) -> str:
    """An identifier as Croissant's own tool wants it: without white space."""
    return re.sub(r"\s+", "_", path)


def _fields(holder: Object, path: str, files: _Held, member: str) -> Object:
    """The columns of a record set or column: fields, or annotations, under the members that hold them."""
    held: dict[str, list[Object]] = defaultdict(list)
    for each in holder.get("fields") or ():
        if isinstance(each, dict) and each.get("name"):
            kind = "annotation" if each.get("annotation") is True else member
            held[kind].append(_field(each, f"{path}/{each['name']}", files))
    return dict(held)


def _field(column: Object, path: str, files: _Held) -> Object:
    inner = _fields(column, path, files, "subField")
    found = {
        "name": column["name"],
        "description": column.get("description"),
        "dataType": _types(str(column.get("type") or "")),
        "equivalentProperty": column.get("equivalentProperty"),
        **{name: column.get(name) for name in KEPT},
        "references": _place(files, column.get("references")),
        "source": _place(files, column.get("source")) or _found(files, str(column["name"])),
        **inner,
    }
    if "subField" in inner:
        found.pop("source")
    identifier = column.get("@id") or _plain(path)
    return {"@type": "cr:Field", "@id": identifier, **{name: each for name, each in found.items() if each}}


def _place(files: _Held, told: Any) -> Object:
    """Where a column is found, or what it refers to, as its record tells."""
    said = told if isinstance(told, dict) else {}
    other = said.get("field")
    how = other if isinstance(other, dict) else said
    extract = {each: how[each] for each in EXTRACTS if how.get(each)}
    parts = {"extract": extract, "transform": how.get("transform")}
    if how is other:
        place: Object = {"field": {"@id": other.get("@id")}}
    elif extract and (file := said.get("file") or files.only):
        place = _file_of(files, file)
    else:
        return {}
    return {**place, **{name: each for name, each in parts.items() if each}}


def _found(files: _Held, name: str) -> Object:
    """Where a column is found if nobody says: under its name in the only file."""
    return {**_file_of(files, files.only), "extract": {"column": name}} if files.only else {}


def _file_of(files: _Held, file: str) -> Object:
    return {"fileSet" if file in files.sets else "fileObject": {"@id": file}}


def _types(kind: str) -> str | list[str]:
    """A type as Croissant has it: kept where it is a term already, else by what a database calls it."""
    words = kind.split()
    if words and all(re.match(r"[a-z]+:", each) for each in words):
        return words[0] if len(words) == 1 else words
    return next((name for form, name in _TYPES if form.search(kind)), "sc:Text")
