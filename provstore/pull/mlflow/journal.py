"""The journal of aliases: what each stood for, from when to when, as webhooks say it or as two looks tell it apart.

MLflow keeps only what an alias stands for now. The journal of one alias is one state (`states.of_alias`): a list of
changes, each `{"version": …}` (null where the alias was taken away) with either `at`, the instant that a webhook
names, or `before` and, where it is known, `after`, the two looks between which it must have happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provstore import times

Object = dict[str, Any]


def instant(seconds: float) -> str:
    """A moment of this machine's clock, as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Alias:
    """The changes of one alias, in order; `heard` is when the last webhook about it came, by `time.monotonic`."""

    changes: list[Object] = field(default_factory=list)
    heard: float = float("-inf")

    @property
    def version(self) -> str | None:
        """What the alias stands for by the last change, None where by none."""
        return self.changes[-1]["version"] if self.changes else None

    def told(self, version: str | None, at: str, details: Mapping[str, str]) -> bool:
        """Put in a change that a webhook told; whether that is news.

        It takes the place of the change to the same version that two looks around its instant told apart.
        """
        place = times.key(at)[0]
        if any(
            "at" in each and times.key(each["at"])[0] == place and each["version"] == version for each in self.changes
        ):
            return False
        change = {"version": version, "at": at, **details}
        kept = [each for each in self.changes if not _is_same(each, version, place)]
        self.changes = sorted([*kept, change], key=_place)
        return True

    def seen(self, version: str | None, after: str, before: str, details: Mapping[str, str]) -> bool:
        """Put in what a look showed, if the last change says otherwise; whether that is news."""
        if self.version == version:
            return False
        since = {"after": after} if after and times.key(after)[0] < times.key(before)[0] else {}
        self.changes = [*self.changes, {"version": version, **since, "before": before, **details}]
        return True


def _place(change: Object) -> str:
    return times.key(change.get("at") or change["before"])[0]


def _is_same(change: Object, version: str | None, place: str) -> bool:
    if "at" in change or change["version"] != version:
        return False
    after = change.get("after")
    return (after is None or times.key(after)[0] <= place) and place <= times.key(change["before"])[0]
