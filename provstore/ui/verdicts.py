"""The page of things by what they lack: how the things in the store stand with each profile, and which of them how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse

from provstore.core.service import Service
from provstore.core.verdictdb import STATES
from provstore.core.verdicts import FoundIn, Listed, Overall, Wanted
from provstore.errors import QueryRefused
from provstore.ui import names, render
from provstore.validation.results import SEVERITIES

PATH = "/validation/things"
SHORT, MOST = 50, 500


@dataclass(frozen=True, slots=True)
class Line:
    """A thing in the list, by its name, and what was found in it."""

    thing: names.Thing | None
    listed: Listed


@dataclass(frozen=True, slots=True)
class Answer:
    """How things stand with each profile, which were asked for, one page of them, and the address of the next."""

    profiles: list[Overall]
    wanted: Wanted
    total: int | None
    lines: list[Line]
    next: str

    @property
    def chosen(self) -> Overall | None:
        """The profile whose things are listed."""
        return next((each for each in self.profiles if each.profile == self.wanted.profile), None)

    def address(self, **changed: object) -> str:
        """The address of a list like this one, but for some parameters."""
        wanted = self.wanted
        kept: dict[str, object] = {"profile": wanted.profile, "state": wanted.state, "severity": wanted.severity}
        kept |= {"kind": wanted.kind, "rule": wanted.rule, "limit": wanted.limit if wanted.limit != SHORT else None}
        return names.address(PATH, **{name: value for name, value in {**kept, **changed}.items() if value != ""})


async def answer(service: Service, asked: Wanted) -> Answer:
    """What was asked; QueryRefused for a profile, state, severity or kind that there is not."""
    profiles = await service.verdicts.overall()
    tokens = [each.profile for each in profiles]
    named = [token for token in tokens if asked.profile in (token, token.partition("/")[0])]
    if asked.profile and not named:
        raise QueryRefused(f"no profile {asked.profile[:60]!r} is in use: there is {', '.join(tokens) or 'none'}")
    _one_of("state", asked.state, tuple(STATES.values()))
    _one_of("severity", asked.severity, SEVERITIES)
    wanted = _filled(asked, (named or tokens or [""])[-1])
    listed = await service.verdicts.listed(_filled(wanted, wanted.profile, limit=wanted.limit + 1))
    shown = listed[: wanted.limit]
    described = await service.described(each.thing for each in shown)
    lines = [Line(_named(each, described), each) for each in shown]
    found = Answer(profiles, wanted, None, lines, "")
    overall = found.chosen
    total = 0 if overall is None else _total(overall, wanted)
    after = found.address(before=shown[-1].number) if len(listed) > len(shown) else ""
    return Answer(profiles, wanted, total, lines, after)


def _filled(wanted: Wanted, profile: str, *, limit: int | None = None) -> Wanted:
    """The same with a profile; what is asked for without any condition is what does not conform."""
    free = not (wanted.state or wanted.severity or wanted.rule)
    return Wanted(
        profile,
        "violating" if free else wanted.state,
        wanted.severity,
        wanted.kind,
        wanted.rule,
        min(wanted.before, 1 << 62),
        limit or wanted.limit,
    )


def _one_of(name: str, given: str, there: tuple[str, ...]) -> None:
    if given and given not in there:
        raise QueryRefused(f"parameter {name!r} must be one of {', '.join(there)}, got {given[:40]!r}")


def _named(listed: Listed, described: dict[str, dict[str, Any]]) -> names.Thing | None:
    return None if listed.thing[:1] in ('"', "_") else names.thing(listed.thing, described)


def _total(overall: Overall, wanted: Wanted) -> int | None:
    """How many there are in all; None where that is not counted."""
    if not wanted.rule:
        return overall.count(wanted.state, wanted.severity, wanted.kind)
    if wanted.state or wanted.severity or wanted.kind:
        return None
    return next((each.things for each in overall.rules if each.rule == wanted.rule), 0)


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as programs get it."""
    wanted = answer.wanted
    return {
        "profiles": [overall(each) for each in answer.profiles],
        "profile": wanted.profile,
        "state": wanted.state,
        "severity": wanted.severity,
        "kind": wanted.kind,
        "rule": wanted.rule,
        "total": answer.total,
        "things": [_line(each.listed) for each in answer.lines],
        "next": f"{answer.next}&format=json" if answer.next else None,
    }


def overall(each: Overall) -> dict[str, Any]:
    """How the things stand with a profile; `index` is that of the ledger, null until all were looked at once."""
    return {
        "profile": each.profile,
        "index": each.at,
        "looked": each.looked,
        **{state: each.count(state) for state in STATES.values()},
        "severities": {severity: each.count(severity=severity) for severity in SEVERITIES},
        "kinds": {kind: {state: each.count(state, kind=kind) for state in STATES.values()} for kind in each.kinds},
        "rules": [_rule(rule) for rule in each.rules],
    }


def _rule(rule: FoundIn) -> dict[str, Any]:
    return {
        "shape": rule.rule,
        "severity": rule.severity,
        "message": rule.message,
        "clause": rule.clause,
        "things": rule.things,
    }


def _line(listed: Listed) -> dict[str, Any]:
    judged = listed.judged
    return {
        "thing": listed.thing,
        "kind": judged.kind,
        "conforms": judged.conforms,
        "severity": judged.severity,
        "count": judged.count,
        "index": judged.at,
        "results": listed.first,
    }


def page(answer: Answer) -> HTMLResponse:
    """An answer as a page."""
    twin = answer.address(format="json")
    return render.page("verdicts.html", alternates={"application/json": twin}, answer=answer, states=STATES.values())
