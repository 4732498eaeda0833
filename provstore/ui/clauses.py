"""Pages of clauses: the laws that profiles cite, and what each clause asks, with the rules that check it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from provstore.ui import render
from provstore.ui.profiles import anchors
from provstore.validation.clauses import Clause, Law
from provstore.validation.profiles import Profile

_TWINS = {"text/turtle": "turtle", "application/json": "json", "application/ld+json": "jsonld"}


@dataclass(frozen=True, slots=True)
class Citing:
    """A rule that comes from a clause, and where it is explained."""

    profile: str
    name: str
    severity: str
    href: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A law with the clauses of it that are told."""

    law: Law
    clauses: Sequence[Clause]

    @property
    def checked(self) -> list[Clause]:
        """Those that a rule checks."""
        return [clause for clause in self.clauses if not clause.why_not]


def citing(profiles: Iterable[Profile]) -> dict[str, list[Citing]]:
    """The rules of some profiles by the clause that each comes from; what a profile inherits counts where it is."""
    found: dict[str, list[Citing]] = {}
    for profile in profiles:
        own = [rule for rule in profile.rules if rule.profile == profile.token]
        named = anchors(rule.shape for rule in own)
        for rule in own:
            name = named[rule.shape]
            rules = found.setdefault(rule.clause, [])
            rules.append(Citing(profile.token, name, rule.severity, f"/shapes/{profile.token}#{name}"))
    return found


def catalogue(laws: Sequence[Listed]) -> HTMLResponse:
    """The page of all laws."""
    return render.page("clauses/laws.html", alternates={"application/json": "/clauses?format=json"}, laws=laws)


def page(listed: Listed, rules: Mapping[str, Sequence[Citing]]) -> HTMLResponse:
    """The page of one law."""
    twins = {kind: f"/clauses/{listed.law.key}?format={name}" for kind, name in _TWINS.items()}
    return render.page("clauses/law.html", alternates=twins, listed=listed, law=listed.law, rules=rules)
