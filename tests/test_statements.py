"""In-toto statements: each version of SLSA's provenance, envelopes, and what no envelope may hold."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from provstore.capture import statements
from provstore.errors import InvalidInput, Unmappable
from tests.stores import BASE

_COMMIT = "60718293a4b5c6d7e8f90a1b1f0e4c5b2a7d9e8f"
_V0: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v0.1",
    "predicateType": "https://slsa.dev/provenance/v0.2",
    "subject": [{"name": "model.bin", "digest": {"sha256": "ab" * 32}}],
    "predicate": {
        "builder": {"id": "https://ci.example/b"},
        "buildType": "https://ci.example/make",
        "invocation": {"parameters": {"rate": 0.1}, "environment": {"arch": "x86"}},
        "metadata": {"buildInvocationId": "77", "buildStartedOn": "2026-03-10T12:00:00Z"},
        "materials": [
            {"uri": "git+ssh://git@git.example/credit.git@refs/tags/v1", "digest": {"sha1": _COMMIT}},
            {"uri": "https://data.example/a.csv", "digest": {"sha256": "cd" * 32}},
            {"uri": "pkg:docker/python@3.11", "digest": {"sha256": "ef" * 32}},
        ],
    },
}


def _mapped(value: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    found = statements.map_statement(value, base=BASE)
    return found.quads.decode(), [(each.pointer, each.message) for each in found.liberties]


def _sealed(payload: bytes, **more: Any) -> dict[str, Any]:
    return {"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(payload).decode(), **more}


def test_version_0_2_says_the_same_in_other_words() -> None:
    quads, notes = _mapped(_V0)
    assert not notes
    assert f"<http://www.w3.org/ns/prov#used> <urn:swh:1:rev:{_COMMIT}>" in quads
    assert f'<urn:swh:1:rev:{_COMMIT}> <https://w3id.org/provstore/ns#repository> "https://git.example/credit"' in quads
    for name in ("data.example/a.csv/read/", "pkg%3Adocker%2Fpython%403.11/read/", "model.bin/write/"):
        assert name in quads
    assert '"internal:arch"' in quads
    assert 'startedAtTime> "2026-03-10T12:00:00Z"' in quads


def test_of_an_unknown_predicate_only_the_subjects_are_taken() -> None:
    quads, notes = _mapped({**_V0, "predicateType": "https://example.org/review/v1"})
    assert notes == [
        ("/predicateType", "only the subjects were taken: nothing is known of 'https://example.org/review/v1'")
    ]
    assert f'ns#sha256> "{"ab" * 32}"' in quads
    assert "prov#Activity" not in quads


def test_an_envelope_and_a_bundle_say_what_the_statement_says_and_how_to_verify_it() -> None:
    text = json.dumps(_V0).encode()
    sealed = _sealed(text, signatures=[{"keyid": "k", "sig": "AAAA"}])
    plain, _ = _mapped(_V0)
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": sealed}
    for value, at in ((sealed, ""), (bundle, "/dsseEnvelope")):
        assert statements.recognised(value)
        quads, notes = _mapped(value)
        run = next(line for line in plain.splitlines() if "startedAtTime" in line).rsplit(" <", 1)[0]
        assert run in quads
        told = "the signature by key k was kept; whether it is good, `provstore signatures` says"
        assert notes == [(f"{at}/signatures/0", told)]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("%%%", "'payload' must be base64"),
        (base64.b64encode(b"\xff").decode(), "not UTF-8"),
        (base64.b64encode(b"{").decode(), "not JSON"),
        (base64.b64encode(b"[1]").decode(), "must be a JSON object"),
        (base64.b64encode(b"[{}, {}]").decode(), "must be one JSON object"),
        (base64.b64encode(b'{"a":' * 250 + b"1" + b"}" * 250).decode(), "nested more than 200 deep"),
        (base64.b64encode(b"{}").decode(), "'predicateType' must be a non-empty string"),
        (7, "is empty"),
    ],
)
def test_an_envelope_that_holds_no_statement_is_refused(payload: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        _mapped({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []})


@pytest.mark.parametrize("subject", [None, [], "x", [1]])
def test_a_statement_about_nothing_is_refused(subject: object) -> None:
    with pytest.raises(Unmappable) as caught:
        _mapped({**_V0, "subject": subject})
    assert caught.value.pointer == "/subject"


def test_the_same_invocation_is_one_run_and_without_one_each_statement_is_its_own() -> None:
    def run(value: dict[str, Any]) -> str:
        quads, _ = _mapped(value)
        return next(line.split()[0] for line in quads.splitlines() if "ns#job>" in line)

    other = {**_V0, "subject": [{"name": "other.bin"}]}
    assert run(_V0) == run(other)
    nameless = [{**each, "predicate": {**each["predicate"], "metadata": {}}} for each in (_V0, other)]
    assert len({run(each) for each in nameless}) == 2


def test_a_signed_model_is_its_files_and_the_digest_over_them_names_no_bytes() -> None:
    resources = [
        {"name": name, "algorithm": "sha256", "digest": digest * 32} for name, digest in (("a", "ab"), ("b", "cd"))
    ]
    quads, notes = _mapped(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "credit", "digest": {"sha256": "ef" * 32}}],
            "predicateType": "https://model_signing/signature/v1.0",
            "predicate": {"serialization": {"method": "files"}, "resources": resources},
        }
    )
    assert not notes
    version = f"<{BASE}/model/model_signing/credit/version/{'ef' * 32}>"
    assert f"{version} <http://www.w3.org/ns/prov#hadMember> {version[:-1]}/file/a>" in quads
    named = {line.split(" ")[2] for line in quads.splitlines() if "ns#sha256>" in line}
    assert named == {f'"{"ab" * 32}"', f'"{"cd" * 32}"'}
