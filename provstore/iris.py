"""The identifiers of the data model: pure functions from names to IRIs, never from the server's address."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from functools import lru_cache
from urllib.parse import quote

from provstore import jcs

#: Stands for the record's own IRI while its quads are digested.
PLACEHOLDER = "urn:provstore:record"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_DIGESTS = {
    "sha256": re.compile(r"[0-9a-f]{64}\Z"),
    "md5": re.compile(r"[0-9a-f]{32}(\.dir)?\Z"),
    "git": re.compile(r"[0-9a-f]{40}\Z"),
}
#: Digests of no bytes: SHA-256, MD5, git's blob.
EMPTY = frozenset(
    (
        hashlib.sha256().hexdigest(),
        hashlib.md5(usedforsecurity=False).hexdigest(),
        hashlib.sha1(b"blob 0\0").hexdigest(),
    )
)
_DIGEST_KIND = re.compile(r"ni:///sha-256;|urn:swh:1:cnt:|[^\s<>]*/content/md5/")
_FOREIGN_RUN = uuid.UUID("7d9ff2f6-1c0a-5c0e-9d53-0d0f2e7b51a4")


def enc(text: str) -> str:
    """Percent-encode all but RFC 3986 unreserved characters: reversible, no normalisation."""
    return _enc(text) if len(text) <= 256 else quote(text, safe="")  # only short names are worth keeping


@lru_cache(maxsize=65536)
def _enc(text: str) -> str:
    return quote(text, safe="")


def fragment(pointer: str) -> str:
    """A JSON pointer as a URI fragment (RFC 6901 §6)."""
    return quote(pointer, safe="/~-._!$'()*+,;=:@")


def dataset(base: str, namespace: str, name: str) -> str:
    return f"{base}/dataset/{enc(namespace)}/{enc(name)}"


def job(base: str, namespace: str, name: str) -> str:
    return f"{base}/job/{enc(namespace)}/{enc(name)}"


def version(dataset_iri: str, label: str) -> str:
    return f"{dataset_iri}/version/{enc(label)}"


def read_state(dataset_iri: str, activity_id: str) -> str:
    return f"{dataset_iri}/read/{enc(activity_id)}"


def write_state(dataset_iri: str, activity_id: str) -> str:
    return f"{dataset_iri}/write/{enc(activity_id)}"


def agent(base: str, kind: str, identifier: str) -> str:
    return f"{base}/agent/{kind}/{enc(identifier)}"


def item(base: str, namespace: str, key: str, state: str = "") -> str:
    """An item by its key; with a `state`, that state of what the key names."""
    named = f"{base}/item/{enc(namespace)}/{enc(key)}"
    return f"{named}/{enc(state)}" if state else named


def run_id(sent: str) -> tuple[str, bool]:
    """The lower-case UUID of a run, and whether the producer sent one (else UUIDv5 of what it sent)."""
    low = sent.lower()
    if _UUID.match(low):
        return low, True
    return str(uuid.uuid5(_FOREIGN_RUN, sent)), False


def run(identifier: str) -> str:
    return f"urn:uuid:{identifier}"


def window_id(run_identifier: str, instant: str) -> str:
    """The UUIDv5 of a streaming run's window that ends at an instant (a `times` key)."""
    return str(uuid.uuid5(uuid.UUID(run_identifier), f"window/{instant}"))


def record(base: str, digest: str) -> str:
    return f"{base}/record/{digest}"


def profile(base: str, name: str, version: int) -> str:
    """The term of a version of a profile that was published in a store."""
    return f"<{base}/shapes/{name}/{version}>"


def content_bytes(base: str, algorithm: str, digest: str) -> str | None:
    """The name of a sequence of bytes by its digest in hexadecimal digits; None where it names nothing.

    `sha256` gives `ni:///sha-256;…` (RFC 6920), `md5` a name below the base (also of a directory as DVC writes it,
    `….dir`), `git` a SWHID of a blob (ISO/IEC 18670). No bytes at all are nobody's content: their digests name nothing.
    """
    low = digest.lower()
    form = _DIGESTS.get(algorithm)
    if form is None or not form.match(low) or low in EMPTY:
        return None
    if algorithm == "sha256":
        return f"ni:///sha-256;{base64.urlsafe_b64encode(bytes.fromhex(low)).rstrip(b'=').decode()}"
    return f"urn:swh:1:cnt:{low}" if algorithm == "git" else f"{base}/content/md5/{low}"


def same_digest_kind(one: str, other: str) -> bool:
    """Whether two names of bytes are made by the same digest, so that unlike names are of unlike bytes."""
    kinds = [_DIGEST_KIND.match(name) for name in (one, other)]
    return all(kinds) and len({kind[0] for kind in kinds if kind}) == 1


def graph(base: str, name: str) -> str:
    """One of the store's own graphs: merged, inferred or system."""
    return f"{base}/graph/{name}"


def content(key: str, facet: object, mapper: str) -> tuple[str, str]:
    """The `ni:` name (RFC 6920) of a facet value, and the facet's canonical JSON."""
    text = jcs.dumps(facet)
    # the canonical form of {"facet":…,"key":…,"mapper":…}: the three keys are in order already
    whole = f'{{"facet":{text},"key":{jcs.dumps(key)},"mapper":{jcs.dumps(mapper)}}}'
    digest = base64.urlsafe_b64encode(hashlib.sha256(whole.encode()).digest()).rstrip(b"=").decode()
    return f"ni:///sha-256;{digest}", text
