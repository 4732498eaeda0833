"""Profiles in the terms of the Profiles Vocabulary (PROF), as N-Quads: what there is, where, and what goes by what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provstore import rdf
from provstore.validation.profiles import Profile, Registry
from provstore.vocab import DCT, OWL, PROF, PROV, RDF_TYPE

_ROLE = "http://www.w3.org/ns/dx/prof/role/"
_MEDIA = "https://www.iana.org/assignments/media-types/"
#: Role of each resource of a version, what follows its IRI, and its media type.
_RESOURCES = (("validation", ".ttl", "text/turtle"), ("guidance", "", "text/html"))


def quads(profiles: Iterable[Profile], registry: Registry) -> bytes:
    """Versions of profiles with their titles, dates, resources and inheritance, sorted."""
    return "".join(sorted({line for each in profiles for line in _lines(each, registry)})).encode()


def _lines(profile: Profile, registry: Registry) -> Iterator[str]:
    me, whole = f"<{profile.iri}>", profile.iri.rpartition("/")[0]
    said = [
        (RDF_TYPE, PROF.Profile),
        (PROF.hasToken, rdf.literal(profile.name)),
        (OWL.versionInfo, rdf.literal(profile.version)),
        (DCT.title, f"{rdf.literal(profile.title)}@en"),
        (DCT.isVersionOf, f"<{whole}>"),
    ]
    if profile.description:
        said.append((DCT.description, f"{rdf.literal(profile.description)}@en"))
    if profile.issued:
        said.append((DCT.issued, rdf.literal(profile.issued, f"{rdf.XSD}date")))
    if rdf.is_iri(profile.license):
        said.append((DCT.license, f"<{profile.license}>"))
    said += [(PROF.isProfileOf, f"<{registry.find(token).iri}>") for token in profile.inherits]
    said += [(PROF.isProfileOf, f"<{iri}>") for iri in profile.others if rdf.is_iri(iri)]
    said += [(PROF.isTransitiveProfileOf, f"<{registry.find(token).iri}>") for token in profile.lineage]
    if int(profile.version) > 1:
        said.append((PROV.wasRevisionOf, f"<{whole}/{int(profile.version) - 1}>"))
    for role, ending, media_type in _RESOURCES:
        resource = f"_:{profile.name}-{profile.version}-{role}"
        said.append((PROF.hasResource, resource))
        yield f"{resource} {RDF_TYPE} {PROF.ResourceDescriptor} .\n"
        yield f"{resource} {PROF.hasRole} <{_ROLE}{role}> .\n"
        yield f"{resource} {DCT['format']} <{_MEDIA}{media_type}> .\n"
        yield f"{resource} {PROF.hasArtifact} <{profile.iri}{ending}> .\n"
    yield from (f"{me} {predicate} {value} .\n" for predicate, value in said)
