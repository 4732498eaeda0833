"""Pages of profiles: the catalogue, and each version's documentation with a class diagram."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count

from fastapi.responses import HTMLResponse

from provstore.core.profiles import MODES
from provstore.core.service import Service
from provstore.core.trial import Trial
from provstore.ui import names, render
from provstore.ui.diagram import Diagram, diagram
from provstore.validation.profiles import Profile, Rule

#: The media types of a profile's twins, by what `format` calls them.
_TWINS = {"text/turtle": "turtle", "application/json": "json", "application/ld+json": "jsonld"}
_PREFIXES = ("prov", "ps", "dct", "dcat", "rdfs", "rdf", "xsd", "schema")
#: What else has a name on the page.
_SECTIONS = ("main", "section-rules", "section-diagram", "diagram-title", "arrowhead", "section-trial", "section-use")
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Linked:
    """A version and where it is."""

    token: str
    version: str
    href: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A profile in a list: its newest version, all of them, and the one that is used ('': none) with its mode."""

    profile: Profile
    versions: tuple[Linked, ...]
    used: str
    mode: str


@dataclass(frozen=True, slots=True)
class Inherited:
    """A profile whose rules another one has, too, and each of them with its name and address on its own page."""

    profile: Profile
    rules: tuple[tuple[Rule, str, str], ...]


def listed(service: Service, profile: Profile) -> Listed:
    """A version of a profile with all its versions, and how that profile is used."""
    versions = service.profiles.registry.versions(profile.name)
    used = service.profiles.used(profile.name)
    links = tuple(Linked(each.token, str(each.number), f"/shapes/{each.token}") for each in versions)
    return Listed(profile, links, used, service.profiles.modes.get(used, "off"))


def catalogue(every: Sequence[Listed]) -> HTMLResponse:
    """The page of all profiles."""
    twins = {kind: f"/shapes?format={name}" for kind, name in _TWINS.items()}
    return render.page("profiles/catalogue.html", alternates=twins, profiles=every)


async def page(service: Service, profile: Profile, trial: Trial | None = None) -> HTMLResponse:
    """The documentation of a version, and what a trial of it found where one was made."""
    own = f"/shapes/{profile.token}"
    own_rules = [rule for rule in profile.rules if rule.profile == profile.token]
    names_of = anchors(rule.shape for rule in own_rules)
    inherited = [_inherited(profile, await service.validator.described(token)) for token in profile.lineage]
    places = {rule.shape: href for each in inherited for rule, _, href in each.rules}
    return render.page(
        "profiles/profile.html",
        alternates={kind: f"{own}?format={name}" for kind, name in _TWINS.items()},
        headers={"Cache-Control": "no-cache"} if trial is None else {"Cache-Control": "no-store"},
        profile=profile,
        rules=own_rules,
        listing=listed(service, profile),
        inherited=inherited,
        picture=_picture(profile),
        prefixes={name: names.PREFIXES[name] for name in _PREFIXES},
        anchors=names_of,
        places={**places, **{shape: f"#{name}" for shape, name in names_of.items()}},
        modes=MODES,
        trial=trial,
        own=own,
    )


def _inherited(profile: Profile, parent: Profile) -> Inherited:
    """Those rules that the parent's own file states, named as on its page."""
    mine = [rule for rule in profile.rules if rule.profile == parent.token]
    named = anchors(rule.shape for rule in parent.rules if rule.profile == parent.token)
    found = tuple((rule, named[rule.shape], f"/shapes/{parent.token}#{named[rule.shape]}") for rule in mine)
    return Inherited(parent, found)


def diagram_svg(profile: Profile) -> bytes:
    """The class diagram of a version as a picture of its own."""
    return drawn(_picture(profile), f"{profile.title}, version {profile.version}")


def drawn(picture: Diagram, title: str) -> bytes:
    """A class diagram as an SVG document with its colours in it, for light and for dark."""
    return render.templates().get_template("profiles/diagram.svg").render(title=title, picture=picture).encode()


@lru_cache(maxsize=64)
def _picture(profile: Profile) -> Diagram:
    return diagram(profile.boxes)


def anchors(shapes: Iterable[str]) -> dict[str, str]:
    """Where each rule stands on the page: the fragment of its IRI, so that the IRI leads there; else its last part."""
    found: dict[str, str] = {}
    taken = set(_SECTIONS)
    for shape in shapes:
        _, mark, fragment = shape.partition("#")
        name = fragment if mark and fragment else _SAFE.sub("-", shape.rstrip("/").rpartition("/")[2]) or "rule"
        free = next(each for each in chain([name], (f"{name}-{n}" for n in count(2))) if each not in taken)
        found[shape] = free
        taken.add(free)
    return found
