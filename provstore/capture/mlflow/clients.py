"""What the client plugin adds to the tags of a run: the files that were read, the state of its code, where it ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provstore.capture.draft import Draft
from provstore.observe import reads
from provstore.observe.reads import Read

Tags = Mapping[str, tuple[str, str]]

#: Tags of the plugin that are told as they are.
CIRCUMSTANCES = ("argv", "ci", "dvc", "host", "plugin", "scheduler")


@dataclass(frozen=True, slots=True)
class Client:
    """What the plugin says: what was read, and whether that is all of it; the commit and the state of the work tree.

    `present` is whether it was there; `dirty` None where it could not look.
    """

    present: bool
    reads: tuple[Read, ...]
    complete: bool
    commit: str
    repository: str
    dirty: bool | None
    diff: str


def client(draft: Draft, tags: Tags) -> Client:
    """What the tags of the plugin say, and the whole list of reads where it came with them; what is missing of it is
    reported.
    """
    told = reads.parse({key: value for key, (value, _) in tags.items()})
    if told and "reads" in draft.value:
        told = reads.joined(told, reads.of_list([each for _, each in draft.objects(draft.value, "reads")]))
    if told and (told.omitted or not told.complete):
        where = tags[reads.TAG][1]
        draft.note(where, f"of {told.count + told.omitted} reads {len(told.reads)} are told: there may be more origins")

    def tag(name: str) -> str:
        return tags.get(f"provstore.{name}", ("", ""))[0]

    return Client(
        any(key.startswith("provstore.") for key in tags),
        told.reads if told else (),
        told is not None and told.complete,
        tag("git.commit"),
        tag("git.remote"),
        {"true": True, "false": False}.get(tag("git.dirty").lower()),
        tag("git.diff_sha256"),
    )
