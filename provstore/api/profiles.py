"""Profiles: what there is, each version as file, data, page and diagram; publishing, trying and using them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from provstore import __version__
from provstore.api.requests import ACTOR, body_of, number, service_of
from provstore.core.service import Service
from provstore.errors import QueryRefused
from provstore.store.query import GRAPHS, chosen
from provstore.ui import profiles, render
from provstore.validation import prof
from provstore.validation.profiles import Profile, Version

router = APIRouter(tags=["validate"])
_TURTLE = "text/turtle"
_OFFERS = (*GRAPHS, "application/json", "text/html")
_LONG = {"fails", "passes", "query"}
#: A version that ships never changes (RFC 8246), nor does one's own; but the same address may be another store's later.
_FOR_GOOD, _FOR_NOW = "public, max-age=31536000, immutable", "no-cache"


@router.get("/shapes")
async def get_shapes(request: Request) -> Response:
    """Every validation profile: its newest version with its own rules, its versions, which one is used and how.

    JSON, RDF in the terms of the Profiles Vocabulary (PROF), or a page.
    """
    service = service_of(request)
    offers = ("application/json", *GRAPHS, "text/html")
    media_type = chosen(request.headers.get("accept"), offers, "with the profiles")
    if media_type in GRAPHS:
        every = [
            each for name in service.profiles.registry.names() for each in service.profiles.registry.versions(name)
        ]
        quads = prof.quads([await _described(service, each) for each in every], service.profiles.registry)
        return Response(await service.serialise(quads, media_type), media_type=media_type, headers={"Vary": "Accept"})
    newest = [await _described(service, each) for each in service.profiles.registry.newest()]
    listed = [profiles.listed(service, each) for each in newest]
    if media_type == "text/html":
        return profiles.catalogue(listed)
    said = [_json(each, listing, short=True) for each, listing in zip(newest, listed, strict=True)]
    return JSONResponse(said, headers=_fresh())


@router.get("/shapes/{name}")
async def get_profile(name: str, request: Request) -> Response:
    """The newest version of a profile, as `/shapes/{name}/{version}` has it; as JSON its versions."""
    service = service_of(request)
    version = service.profiles.registry.find(name)
    headers = request.headers.get("accept")
    if chosen(headers, _OFFERS, "with a profile") != "application/json":
        answer = await _answered(service, version, request, lasting=False)
        answer.headers["Content-Location"] = f"/shapes/{version.token}"
        return answer
    listing = profiles.listed(service, await _described(service, version))
    found = [
        {"version": str(each.number), "iri": each.iri, "sha256": each.digest(), "href": f"/shapes/{each.token}"}
        for each in service.profiles.registry.versions(name)
    ]
    return JSONResponse({"name": name, "used": listing.used, "mode": listing.mode, "versions": found}, headers=_fresh())


@router.get("/shapes/{name}/{version}")
async def get_version(name: str, version: str, request: Request) -> Response:
    """A version of a profile: its shapes as Turtle, byte for byte as published, or in another RDF syntax; as JSON what
    it says, with its rules in words; or a page that documents it.
    """
    service = service_of(request)
    number, _, ending = version.partition(".")
    if ending == "svg":
        return await _diagram(service, service.profiles.registry.find(f"{name}/{number}"), request)
    if ending == "ttl":
        found = service.profiles.registry.find(f"{name}/{number}")
        return _tagged(request, found.read(), _TURTLE, found, lasting=True)
    return await _answered(service, service.profiles.registry.find(f"{name}/{version}"), request, lasting=True)


async def _answered(service: Service, version: Version, request: Request, *, lasting: bool) -> Response:
    media_type = chosen(request.headers.get("accept"), _OFFERS, "with a profile")
    if media_type == "text/html":
        return await profiles.page(service, await _described(service, version))
    if media_type == "application/json":
        profile = await _described(service, version)
        return JSONResponse(_json(profile, profiles.listed(service, profile)), headers=_fresh())
    body = version.read()
    if media_type != _TURTLE:
        body = await service.converted(body, version.iri, media_type)
    return _tagged(request, body, media_type, version, lasting=lasting)


async def _diagram(service: Service, version: Version, request: Request) -> Response:
    body = profiles.diagram_svg(await _described(service, version))
    answer = _tagged(request, body, "image/svg+xml", version, lasting=False)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


def _tagged(request: Request, body: bytes, media_type: str, version: Version, *, lasting: bool) -> Response:
    """An answer with its entity tag, of the file where it is the file itself."""
    made = "" if media_type == _TURTLE else f"\n{media_type}\n{__version__}"
    tag = f'"{hashlib.sha256(f"{version.digest()}{made}".encode()).hexdigest()[:32]}"'
    caching = _FOR_GOOD if lasting and version.shipped else _FOR_NOW
    headers = {"ETag": tag, "Cache-Control": caching, "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


async def _described(service: Service, version: Version) -> Profile:
    return await service.validator.described(version.token)


def _json(profile: Profile, listing: profiles.Listed, *, short: bool = False) -> dict[str, Any]:
    """A version as JSON; `short` leaves out the diagram, of rules those inherited, and their examples and queries."""
    said = {**asdict(profile), "counts": profile.counts}
    if short:
        del said["boxes"], said["prefixes"]
        mine = [rule for rule in said["rules"] if rule["profile"] == profile.token]
        said["rules"] = [{key: rule[key] for key in rule if key not in _LONG} for rule in mine]
    versions = [each.version for each in listing.versions]
    return {
        **said,
        "mode": listing.mode,
        "used": listing.used,
        "versions": versions,
        "href": f"/shapes/{profile.token}",
    }


def _fresh() -> dict[str, str]:
    return {"Vary": "Accept", "Cache-Control": "no-cache"}


# --- what changes something ------------------------------------------------------------------------------------------


@router.post("/shapes/{name}", status_code=201)
async def post_profile(name: str, request: Request) -> Response:
    """Publish Turtle as the next version of a profile of your own; `imports=ignore` where owl:imports do not matter.

    201 with the version and what was found amiss, 200 where the same bytes were a version already; 422 with the
    findings where something is wrong with the shapes. Nothing is switched on by it.
    """
    service, given = service_of(request), request.query_params
    if given.get("imports", "refuse") not in ("refuse", "ignore"):
        raise QueryRefused(f"parameter 'imports' must be refuse or ignore, got {given['imports'][:40]!r}")
    published = await service.publish(
        name,
        await body_of(request),
        request.headers.get("content-type", ""),
        ACTOR,
        imports=given.get("imports") == "ignore",
    )
    version = published.version
    said = {
        "profile": version.token,
        "iri": version.iri,
        "sha256": version.digest(),
        "new": published.new,
        "findings": published.findings,
        "href": f"/shapes/{version.token}",
    }
    return JSONResponse(said, 201 if published.new else 200, {"Location": f"/shapes/{version.token}"})


@router.post("/shapes/{name}/{version}/try")
async def post_trial(name: str, version: str, request: Request) -> Response:
    """What a version would find in the records that are here, or in the `last` ones: how many would newly violate it,
    by rule, with the first few; `complete` is false where a minute was not enough for all.
    """
    service, last = service_of(request), number(request.query_params, "last")
    trial = await service.tried(f"{name}/{version}", last)
    if render.wants_page(request):
        return await profiles.page(service, await service.validator.described(trial.profile), trial)
    return JSONResponse(trial.json())


@router.post("/shapes/{name}/{version}/use")
async def post_use(name: str, version: str, request: Request) -> Response:
    """Use a version of a profile from now on; `mode` is annotate, reject or off, in the address or in a form.

    It takes the place of the version in use before, is a record of the ledger, and goes before the setting `profiles`.
    """
    service = service_of(request)
    text = (await body_of(request)).decode(errors="replace")
    form = {key: values[0] for key, values in parse_qs(text, max_num_fields=10).items()}
    mode = request.query_params.get("mode") or form.get("mode", "")
    token = await service.use(f"{name}/{version}", mode, ACTOR)
    if render.wants_page(request):
        return RedirectResponse(f"/shapes/{token}", 303)
    return JSONResponse({"profile": token, "mode": mode})
