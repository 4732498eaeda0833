"""What pySHACL finds over rdflib's memory: the reference that both back-ends are held to."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pyshacl
import rdflib

from provstore.validation.engine import parsed
from provstore.validation.shapes import sh
from tests.conformance import Row, rows


def found(shapes: bytes, data: bytes, form: str = "nt") -> Counter[Row]:
    """The results of Turtle shapes against data, N-Triples unless said, with the subclass statements of the shapes."""
    graph = rdflib.Graph()
    with _as_written():
        graph.parse(data=data, format=form)
    for triple in _shapes(shapes).triples((None, rdflib.RDFS.subClassOf, None)):
        graph.add(triple)
    with _as_written():
        _, report, _ = pyshacl.validate(graph, shacl_graph=_shapes(shapes), do_owl_imports=False)
        made = parsed(report.serialize(format="nt").encode())
    (root,) = made.subjects_of(sh("conforms"))
    return rows(made, root)


@lru_cache(16)
def _shapes(turtle: bytes) -> rdflib.Graph:
    return rdflib.Graph().parse(data=turtle, format="turtle")


@contextmanager
def _as_written() -> Iterator[None]:
    """Literals stay as written, and rdflib says nothing of those it cannot read; pySHACL sets this back by itself."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rdflib.NORMALIZE_LITERALS = False
            yield
    finally:
        rdflib.NORMALIZE_LITERALS = True
        logging.disable(logging.NOTSET)
