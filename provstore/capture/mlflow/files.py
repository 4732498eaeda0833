"""The files and addresses that the client plugin saw a run read, as states with their digests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from provstore import iris, rdf
from provstore.capture.draft import Draft
from provstore.observe.reads import Read
from provstore.vocab import PROV, PS


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: place → node. `firm` by the run itself, or before it by the program; `loose` may be no origin.

    Loose is what only other runs of the program read, and what the program had written itself. `after` holds of each
    node the logged models that were there before it was read. `complete` is whether that is all that was read, as far
    as the plugin can see.
    """

    firm: dict[str, str]
    loose: dict[str, str]
    after: dict[str, frozenset[str]]
    complete: bool

    @property
    def only(self) -> str:
        """The one node that everything was made of; '' where there are several, or none, or some are not told."""
        return next(iter(self.firm.values())) if len(self.firm) == 1 and self.complete else ""

    def before(self, model: str) -> Seen:
        """What was read before a logged model was there."""

        def early(nodes: dict[str, str]) -> dict[str, str]:
            return {place: node for place, node in nodes.items() if model not in self.after[node]}

        return Seen(early(self.firm), early(self.loose), self.after, self.complete)


def seen(draft: Draft, activity: str, identifier: str, reads: tuple[Read, ...], *, complete: bool) -> Seen:
    """The states that a run read, written down; of a file that was read in two states each is one."""
    found = Seen({}, {}, {}, complete)
    for read in reads:
        place = read.path or read.url
        namespace, name = ("file", read.path) if read.path else named(read.url)
        twice = place in found.firm or place in found.loose
        own = f"{identifier}/{read.sha256 or read.md5}" if twice else identifier
        node = _state(draft, activity, own, iris.dataset(draft.base, namespace, name), read)
        draft.dataset(namespace, name)
        loose = read.when == "other" or read.written
        key = f"{place}\n{read.sha256}" if twice else place
        (found.loose if loose else found.firm)[key] = node
        found.after[node] = frozenset(read.after)
    return found


def _state(draft: Draft, activity: str, identifier: str, dataset: str, read: Read) -> str:
    digests = {"sha256": read.sha256, "md5": read.md5}
    if read.when != "other":
        node = draft.read(activity, identifier, dataset, digests)
    else:  # the program had read it: this run need not have
        node = f"<{iris.read_state(dataset, identifier)}>"
        draft.type(node, PROV.Entity)
        draft.say(node, PROV.specializationOf, f"<{dataset}>")
        draft.content(node, digests)
    if read.size is not None:
        draft.say(node, PS.byteSize, rdf.integer(read.size))
    return node


def named(place: str) -> tuple[str, str]:
    """Namespace and name of an address by the naming of OpenLineage: `s3://bucket` and the key, a host and the path."""
    parts = urlsplit(place)
    if parts.scheme and parts.netloc:
        name = parts.path.strip("/") + (f"?{parts.query}" if parts.query else "")
        return f"{parts.scheme}://{parts.netloc}", name or "/"
    if parts.path.startswith("/"):
        return "file", normal(parts.path)
    return "", place


def normal(path: str) -> str:
    """A path without `.` and `..`, as far as that can be told from it alone."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        elif part != ".":
            parts.append(part)
    return str(PurePosixPath(*parts)) if parts else path
