"""The embedded triple store: loads that are all or nothing, removals, snapshots.

Its commits are not synced to disk (a power cut can take the newest ones silently), so whoever writes here keeps a
journal and asks `flush()` before dropping any of it. It also rewrites literals: nothing is ever hashed from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pyoxigraph as ox

from provstore import rdf
from provstore.errors import DirectoryInUse, InvalidInput, Misconfigured

#: Bytes of N-Quads from which sorted files are written beside the store instead of transactions in it.
_MANY = 1 << 20


class TripleStore:
    """One Oxigraph directory, owned by this process; not safe for two writing threads."""

    def __init__(self, path: Path | None) -> None:
        try:
            self._store = ox.Store(str(path)) if path else ox.Store()
        except (OSError, RuntimeError) as error:  # RuntimeError is what the engine raises for a corrupted directory
            if "lock file" in str(error) or "lock hold" in str(error):  # not any message with "block" in it
                raise DirectoryInUse(f"the triple store in {path} is open in another process") from error
            raise Misconfigured(f"the triple store in {path} cannot be opened: {error}") from error

    def load(self, quads: bytes) -> None:
        """Add N-Quads: all or nothing, visible to the next query."""
        try:
            self._store.load(quads, format=ox.RdfFormat.N_QUADS)
        except SyntaxError as error:
            raise InvalidInput(f"not N-Quads: {error.msg}", line=error.lineno) from error
        except OSError as error:
            raise Misconfigured(f"the triple store cannot be written: {error}") from error

    def load_many(self, quads: bytes) -> None:
        """Add N-Quads, many at a time several times faster than `load`; a crash on the way leaves some of them.

        Nobody else may read this store meanwhile. What is loaded afterwards is not durable before this is.
        """
        if len(quads) < _MANY:
            self.load(quads)
            return
        try:
            self._store.bulk_load(quads, format=ox.RdfFormat.N_QUADS)
        except SyntaxError as error:
            raise InvalidInput(f"not N-Quads: {error.msg}", line=error.lineno) from error
        except OSError as error:
            raise Misconfigured(f"the triple store cannot be written: {error}") from error

    def remove(self, quads: Iterable[str], is_live: Callable[[str], bool], also_default: Iterable[str] = ()) -> None:
        """Take quads out of their graphs, and their triples out of the default graph unless a live graph has them too.

        `also_default` are triples (N-Quads without a graph) to be checked in the same way.
        """
        gone = list(ox.parse("".join(quads), format=ox.RdfFormat.N_QUADS))
        # what still holds a triple is looked up before anything is removed: a read straight after a write of this
        # engine has been seen to miss it
        leaving = {(q.triple, q.graph_name) for q in gone}
        checked = {q.triple for q in gone} | {
            q.triple for q in ox.parse("".join(also_default), format=ox.RdfFormat.N_QUADS)
        }
        for triple in checked:
            held = self._store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
            graphs = [q.graph_name for q in held if (triple, q.graph_name) not in leaving]
            if not any(isinstance(g, ox.NamedNode) and is_live(g.value) for g in graphs):
                gone.append(ox.Quad(triple.subject, triple.predicate, triple.object, ox.DefaultGraph()))
        for quad in gone:
            self._store.remove(quad)

    def objects(self, subject: str, predicate: str, graph: str) -> list[str]:
        """The lexical forms of a property's values in a graph; subject and graph are IRIs, predicate an `<…>` term."""
        found = self._store.quads_for_pattern(
            ox.NamedNode(subject), ox.NamedNode(predicate[1:-1]), None, ox.NamedNode(graph)
        )
        return [q.object.value for q in found if isinstance(q.object, ox.Literal | ox.NamedNode)]

    def restate(self, graph: str, link: str, said: Mapping[str, str]) -> None:
        """Of each term make the nodes that point to it by `link` in a graph, with all that is said of them, these.

        What is said of a term is N-Quads of that graph, and the `link` is in them.
        """
        name, pointing = ox.NamedNode(graph), ox.NamedNode(link[1:-1])
        # a term by itself is nothing that the parser reads: a line with it is
        lines = "".join(f"<{graph}> {link} {term} .\n" for term in said)
        try:
            abouts = [quad.object for quad in ox.parse(lines, format=ox.RdfFormat.N_QUADS)]
            new = set(ox.parse("".join(said.values()), format=ox.RdfFormat.N_QUADS))
        except SyntaxError as error:
            raise InvalidInput(f"not N-Quads: {error.msg}", line=error.lineno) from error
        # all is looked up before anything is written: see `remove`
        nodes = [q.subject for about in abouts for q in self._store.quads_for_pattern(None, pointing, about, name)]
        old = {quad for node in nodes for quad in self._store.quads_for_pattern(node, None, None, name)}
        self._store.extend(new - old)
        for quad in old - new:
            self._store.remove(quad)

    def put(self, subject: str, predicate: str, value: str, graph: str) -> None:
        """Make a term the only value of a property in a graph; subject and graph are IRIs, the others terms."""
        (quad,) = ox.parse(f"<{subject}> {predicate} {value} <{graph}> .\n", format=ox.RdfFormat.N_QUADS)
        for old in list(self._store.quads_for_pattern(quad.subject, quad.predicate, None, quad.graph_name)):
            self._store.remove(old)
        self._store.add(quad)

    def snapshot(self, directory: Path) -> None:
        """A read-only copy by hard links in a directory that must not exist yet (same file system)."""
        try:
            self._store.backup(str(directory))
        except (OSError, RuntimeError) as error:
            raise Misconfigured(f"no snapshot can be made in {directory}: {error}") from error

    def flush(self) -> None:
        """Return once all that was loaded is on disk."""
        self._store.flush()

    def close(self) -> None:
        """Let go of the directory; the object is of no use afterwards."""
        del self._store

    def dump(self) -> list[str]:
        """Every quad as canonical N-Quads, sorted."""
        return sorted(rdf.quad_line(q) for q in self._store)

    def __len__(self) -> int:
        return len(self._store)


def is_read(quads: bytes) -> bool:
    """Whether a store takes N-Quads as they are."""
    try:
        return all(True for _ in ox.parse(quads, format=ox.RdfFormat.N_QUADS))
    except (SyntaxError, ValueError):
        return False


def normalised(quads: bytes) -> set[str]:
    """What a store makes of N-Quads: the same lines with the literals it rewrites rewritten."""
    memory = ox.Store()
    memory.load(quads, format=ox.RdfFormat.N_QUADS)
    return {rdf.quad_line(q) for q in memory}
