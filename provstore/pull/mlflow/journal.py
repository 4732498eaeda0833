"""The journal of aliases: what each stood for, from when to when, as webhooks say it or as two looks tell it apart.

MLflow keeps only what an alias stands for now. Each change is a state of its own (`states.of_change`), by whose key it
is known: the version (none where the alias was taken away), and either the instant that a webhook names, or the two
looks between which it must have happened. All instants are of MLflow's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from provstore import times

Object = dict[str, Any]

#: How long after a change MLflow may date the webhook that tells of it, in ticks (`times.ticks`): five seconds.
_LAG: Final = 50_000_000


def instant(seconds: float) -> str:
    """A moment of a clock, as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Change:
    """A change to a version ('' where the alias was taken away), `at` an instant or, if that is '', between two looks.

    `details` are who reported it, as far as that is at hand.
    """

    version: str
    at: str = ""
    before: str = ""
    after: str = ""
    details: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, text: str) -> Change:
        """From what its key says of it (`keys.change`)."""
        when, seen, version = text.split("/")
        return cls(version, at=when) if seen == "at" else cls(version, before=when, after=seen)

    @classmethod
    def told(cls, said: Object) -> Change:
        """From a payload's words."""
        details = {name: str(each) for name, each in said.items() if name in ("reported", "delivery", "by")}
        at, before, after = (str(said.get(name) or "") for name in ("at", "before", "after"))
        return cls(str(said.get("version") or ""), at, before, after, details)

    def said(self) -> Object:
        """What a payload says of it."""
        instants = {"at": self.at, "before": self.before, "after": self.after}
        return {"version": self.version or None, **{k: v for k, v in instants.items() if v}, **self.details}

    @property
    def mark(self) -> str:
        """The instant that it is known by."""
        return self.at or self.before

    @property
    def place(self) -> str:
        """What it is put in order by."""
        return times.key(self.mark)[0]

    def tells_of(self, seen: Change) -> bool:
        """Whether this is the webhook of what a look saw just before MLflow sent it."""
        if seen.at or not self.at or seen.version != self.version:
            return False
        return 0 <= times.ticks(self.place) - times.ticks(seen.place) <= _LAG


@dataclass(slots=True)
class Alias:
    """The changes of one alias, in order; `heard` is when the last webhook about it came, by `time.monotonic`."""

    changes: tuple[Change, ...] = ()
    heard: float = float("-inf")

    @property
    def version(self) -> str:
        """What the alias stands for by the last change, '' where for nothing."""
        return self.changes[-1].version if self.changes else ""

    def take(self, changes: Iterable[Change]) -> None:
        """Put in changes, of webhooks or of looks, in whatever order they come.

        One that two looks told apart is none where the alias stood for that version before: because a webhook came
        late that names its instant, or because two captures look at the same server. Nor where a webhook of that
        version follows at once: MLflow dates one when it sends it, and a look may come before.
        """
        every = {(each.mark, each.version): each for each in (*self.changes, *changes)}.values()
        kept: list[Change] = []
        for each in sorted(every, key=lambda each: (each.place, not each.at, each.version)):
            last = kept[-1] if kept else Change("")
            if kept and each.tells_of(last):
                kept[-1] = each
            elif each.at or each.version != last.version:
                kept.append(each)
        self.changes = tuple(kept)

    def see(self, version: str, after: str, before: str) -> None:
        """Put in what a look showed, if the last change says otherwise.

        A look that came after a webhook stands after it, although clocks may differ by a little.
        """
        if self.version == version:
            return
        last = self.changes[-1].place if self.changes else ""
        if times.key(before)[0] <= last:
            before = times.lexical(times.of_ticks(times.ticks(last) + 10_000))
        held = after if after and times.key(after)[0] < times.key(before)[0] else ""
        self.take([Change(version, before=before, after=held, details={"reported": "look"})])
