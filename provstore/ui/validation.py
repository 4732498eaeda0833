"""The page of validation: how the records stand with each profile, and which of them lack what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from provstore.core.annotate import STATES, Listed, Standing
from provstore.core.service import Service
from provstore.errors import QueryRefused
from provstore.ui import names, render

SHORT, MOST = 50, 500
_BEYOND = 2**62


@dataclass(frozen=True, slots=True)
class Asked:
    """Which records are to be listed: of one profile ('': the first), in a state or found by a rule, below an index."""

    profile: str
    state: str
    rule: str
    before: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class Line:
    """One record that is listed: its name, and what was found."""

    record: str
    listed: Listed


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile in use, or one that was; `standing` is None where nothing of it is kept."""

    name: str
    mode: str
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The profiles, the one whose records are listed, how many those are in all, and one page of them."""

    profiles: list[Profile]
    profile: str
    state: str
    rule: str
    total: int
    lines: list[Line]
    next: str


def answer(service: Service, asked: Asked) -> Answer:
    """What was asked; QueryRefused for a profile or state that there is not."""
    standings = {each.profile: each for each in service.annotator.standings()}
    used = service.profiles.modes
    modes = dict(sorted(used.items(), key=lambda each: each[1] == "off"))  # what is in use comes first
    modes |= {name: "no longer in use" for name in standings if name not in used}
    profiles = [Profile(name, mode, standings.get(name)) for name, mode in modes.items()]
    given = asked.profile if asked.profile in modes else _version(asked.profile, modes)
    if asked.profile and not given:
        raise QueryRefused(f"no validation profile {asked.profile[:60]!r} is in use: there is {', '.join(modes)}")
    if asked.state and asked.state not in STATES:
        raise QueryRefused(f"parameter 'state' must be one of {', '.join(STATES)}, got {asked.state[:40]!r}")
    name = given or next((each for each in modes if each in standings), next(iter(modes), ""))
    state = "" if asked.rule else asked.state or "violating"
    before = _BEYOND if asked.before is None else asked.before
    found = service.annotator.listed(name, asked.rule or state, min(before, _BEYOND), asked.limit + 1)
    lines = [Line(service.ledger.receipt(each.index).record, each) for each in found[: asked.limit]]
    after = names.address(
        "/validation",
        profile=name,
        state=asked.state,
        rule=asked.rule,
        before=lines[-1].listed.index if len(found) > len(lines) else None,
        limit=asked.limit if asked.limit != SHORT else None,
    )
    total = _total(standings.get(name), state, asked.rule)
    return Answer(profiles, name, state, asked.rule, total, lines, after if len(found) > len(lines) else "")


def _version(name: str, modes: dict[str, str]) -> str:
    """The version that a profile's name alone stands for: the one in use, if one is; '' where there is none."""
    return next((token for token in modes if token.partition("/")[0] == name), "")


def _total(standing: Standing | None, state: str, rule: str) -> int:
    if standing is None:
        return 0
    counts = dict(zip(STATES, (standing.conforming, standing.violating, standing.failed), strict=True))
    return counts[state] if state else next((each.records for each in standing.rules if each.shape == rule), 0)


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as programs get it."""
    return {
        "profiles": [_profile(each) for each in answer.profiles],
        "profile": answer.profile,
        "state": answer.state,
        "rule": answer.rule,
        "total": answer.total,
        "records": [_line(each) for each in answer.lines],
        "next": f"{answer.next}&format=json" if answer.next else None,
        "things": "/validation/things",
    }


def _line(line: Line) -> dict[str, Any]:
    listed = line.listed
    return {"index": listed.index, "record": line.record, "count": listed.count, "results": listed.first}


def _profile(profile: Profile) -> dict[str, Any]:
    standing = profile.standing
    if standing is None:
        return {"profile": profile.name, "mode": profile.mode}
    rules = [
        {
            "shape": each.shape,
            "severity": each.severity,
            "message": each.message,
            "clause": each.clause,
            "records": each.records,
        }
        for each in standing.rules
    ]
    return {
        "profile": profile.name,
        "mode": profile.mode,
        "waiting": standing.waiting,
        "conforming": standing.conforming,
        "violating": standing.violating,
        "failed": standing.failed,
        "rules": rules,
    }


def page(answer: Answer) -> HTMLResponse:
    """An answer as a page."""
    twin = names.address("/validation", profile=answer.profile, state=answer.state, rule=answer.rule, format="json")
    return render.page("validation.html", alternates={"application/json": twin}, answer=answer)
