"""Records of the store's own doings: a profile was published, or from now on one is used in another way."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from provstore import iris, rdf
from provstore.model import Mapped
from provstore.vocab import DCT, OWL, PROF, PROV, PS, RDF_TYPE

ADAPTER = "profile/1"
_RDFS_LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"


def map_version(payload: bytes, name: str, number: int, published: str, base: str) -> Mapped:
    """A version of a profile as a record: its name, number and time, and the SHA-256 of the file, the payload."""
    version, profile = iris.profile(base, name, number), f"<{base}/shapes/{name}>"
    said = [
        (version, RDF_TYPE, PROV.Entity),
        (version, RDF_TYPE, PROF.Profile),
        (version, _RDFS_LABEL, rdf.literal(f"{name}/{number}")),
        (version, PROF.hasToken, rdf.literal(name)),
        (version, OWL.versionInfo, rdf.literal(str(number))),
        (version, DCT.isVersionOf, profile),
        (version, PROV.generatedAtTime, rdf.date_time(published)),
        (f"<{iris.PLACEHOLDER}>", PROV.generatedAtTime, rdf.date_time(published)),
        (version, PS.sha256, rdf.literal(hashlib.sha256(payload).hexdigest())),
    ]
    if number > 1:
        said.append((version, PROV.wasRevisionOf, iris.profile(base, name, number - 1)))
    return _record(said, base)


def use_payload(profile: str, mode: str, since: str) -> bytes:
    """What is recorded where a version (its IRI) is used from an instant on: to annotate, to reject, or not at all."""
    return json.dumps({"mode": mode, "profile": profile, "since": since}, sort_keys=True).encode()


def map_use(payload: bytes, base: str) -> Mapped:
    """The use of a profile as a record."""
    given: dict[str, Any] = json.loads(payload)
    use = f"<{iris.PLACEHOLDER}#use>"
    said = [
        (use, RDF_TYPE, PS.ProfileUse),
        (use, PS.profile, f"<{given['profile']}>"),
        (use, PS.mode, rdf.literal(given["mode"])),
        (f"<{iris.PLACEHOLDER}>", PROV.generatedAtTime, rdf.date_time(given["since"])),
    ]
    return _record(said, base)


def _record(said: list[tuple[str, str, str]], base: str) -> Mapped:
    me = f"<{iris.PLACEHOLDER}>"
    said = [*said, *((me, RDF_TYPE, kind) for kind in (PROV.Bundle, PS.Record))]
    record, quads = rdf.seal(base, {f"{s} {p} {o} {me} .\n" for s, p, o in said})
    return Mapped(record, quads, (), ADAPTER)
