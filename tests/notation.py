"""N-Quads as a reader writes them: triples, prefixes, and the form that RDFC-1.0 gives."""

from __future__ import annotations

import pyoxigraph as ox

from provstore import rdf

PREFIXES = {
    "http://www.w3.org/ns/prov#": "prov:",
    "https://w3id.org/provstore/ns#": "ps:",
    "http://purl.org/dc/terms/": "dct:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "a",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#value": "rdf:value",
    "http://www.w3.org/ns/csvw#": "csvw:",
    "http://www.w3.org/ns/dcat#": "dcat:",
    "http://www.w3.org/ns/dqv#": "dqv:",
    "http://www.w3.org/ns/earl#": "earl:",
    "http://purl.org/net/p-plan#": "pplan:",
    "https://schema.org/": "schema:",
}


def prefixed(iri: str) -> str:
    """An IRI with the prefix of its vocabulary, where it has one."""
    for long, brief in PREFIXES.items():
        iri = iri.replace(long, brief)
    return iri


def lines_of(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}


def triples(quads: bytes) -> list[tuple[str, str, str]]:
    return [rdf.split(line)[:3] for line in quads.decode().removesuffix("\n").split("\n")]


def canonical(quads: bytes) -> bytes:
    """The same quads as RDFC-1.0 serialises them."""
    dataset = ox.Dataset(ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return b"".join(sorted(ox.serialize([quad], format=ox.RdfFormat.N_QUADS) or b"" for quad in dataset))
