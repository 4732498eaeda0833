"""Signatures of statements, held to keys: envelopes that in-toto's own library signed, and what is no such thing."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519

from provstore.capture import formats, statements
from provstore.core import ProvStore
from provstore.core.signatures import trusted_keys
from provstore.errors import InvalidInput, Misconfigured
from provstore.export import verify
from provstore.export.verify import Refused, Trusted, signatures
from provstore.ledger.log import Ledger
from provstore.model import Submission
from tests import environments, packages
from tests.goldens import FIXTURES
from tests.servers import command, serving
from tests.stores import BASE, store_in

_KINDS = (
    *("Ed25519", "P-256", "P-384", "P-521", "rsassa-pss-sha256", "rsassa-pss-sha384", "rsassa-pss-sha512"),
    *("rsa-pkcs1v15-sha256", "rsa-pkcs1v15-sha384", "rsa-pkcs1v15-sha512"),
)
_STATEMENT = (FIXTURES / "bom" / "statement.json").read_bytes()

Made = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def made() -> Made:
    """By kind of key an envelope of the statement, and the public key."""
    line = [environments.programs("bom") / "python", environments.PINS / "sign.py"]
    done = subprocess.run(line, input=_STATEMENT, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: Made = json.loads(done.stdout)
    return found


def key(made: Made, kind: str) -> Trusted:
    return Trusted.parse(made[kind]["key"].encode(), kind)


def verdict(value: Any, *trusted: Trusted) -> str:
    return signatures(json.dumps(value).encode(), trusted).verdict


# --- what is good ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", _KINDS)
def test_a_signature_is_verified_by_the_key_that_made_it_and_no_other(made: Made, kind: str) -> None:
    value = made[kind]["envelope"]
    others = [key(made, other) for other in _KINDS if made[other]["key"] != made[kind]["key"]]
    found = signatures(json.dumps(value).encode(), [*others, key(made, kind)])
    assert (found.verdict, [each.by and each.by.name for each in found.all]) == ("verified", [kind])
    assert verdict(value, *others) == "not verified"
    assert verdict(value) == "not verified"


def test_one_of_several_signatures_is_enough_and_each_is_told(made: Made) -> None:
    value = made["two"]["envelope"]
    found = signatures(json.dumps(value).encode(), [key(made, "P-384")])
    assert found.verdict == "verified"
    assert [each.by and each.by.name for each in found.all] == [None, "P-384"]
    assert found.all[0].why == "none of the trusted keys made it"


def test_a_key_id_is_a_hint_and_never_believed(made: Made) -> None:
    value = made["Ed25519"]["envelope"]
    for keyid in ("", "P-256", None, 7):
        other = {**value, "signatures": [{**value["signatures"][0], "keyid": keyid}]}
        assert verdict(other, key(made, "Ed25519")) == "verified"
    forged = {**value, "signatures": [{**value["signatures"][0], "sig": "AAAA", "keyid": "Ed25519"}]}
    assert verdict(forged, key(made, "Ed25519")) == "not verified"


def test_either_alphabet_and_a_bundle_say_the_same(made: Made) -> None:
    value = made["P-256"]["envelope"]
    safe = {**value, "payload": value["payload"].replace("+", "-").replace("/", "_")}
    safe["signatures"] = [{"sig": value["signatures"][0]["sig"].replace("+", "-").replace("/", "_")}]
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": value}
    for said in (value, safe, bundle):
        assert verdict(said, key(made, "P-256")) == "verified"
    found = signatures(json.dumps(bundle).encode(), [])
    assert [each.pointer for each in found.all] == ["/dsseEnvelope/signatures/0"]


def test_what_is_signed_is_told_by_type_and_lengths() -> None:
    # the example of the protocol, github.com/secure-systems-lab/dsse/blob/master/protocol.md
    assert verify.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


# --- what is not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "rsassa-pss-sha256", "rsa-pkcs1v15-sha256"])
def test_no_byte_of_what_was_signed_or_of_the_signature_can_be_changed(made: Made, kind: str) -> None:
    value, trusted = made[kind]["envelope"], key(made, kind)
    (signed,) = value["signatures"]
    for payload in _flipped(value["payload"]):
        assert verdict({**value, "payload": payload}, trusted) == "not verified"
    for sig in _flipped(signed["sig"]):
        assert verdict({**value, "signatures": [{**signed, "sig": sig}]}, trusted) == "not verified"


def _flipped(text: str) -> Iterator[str]:
    """The bytes of a text in base64 with a bit of each changed, and the text with each of its letters changed."""
    raw = base64.b64decode(text)
    for at, byte in enumerate(raw):
        yield base64.b64encode(raw[:at] + bytes([byte ^ 1 << at % 8]) + raw[at + 1 :]).decode()
    for at, letter in enumerate(text):
        yield text[:at] + ("B" if letter != "B" else "C") + text[at + 1 :]
    yield from (text[:-1], text + "=", f"{text} ", text + "AAAA", "")


@pytest.mark.parametrize(
    "change",
    [
        {"payloadType": "application/json"},
        {"payloadType": "application/vnd.in-toto+json "},
        {"signatures": []},
        {"signatures": None},
        {"signatures": "x"},
        {"signatures": [None, 1, "x", [], {}, {"sig": 7}, {"sig": "%%%"}, {"sig": ""}]},
        {"payload": 7},
        {"payload": None},
        {"dsseEnvelope": None},
        {"dsseEnvelope": {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": []}},
    ],
    ids=str,
)
def test_what_is_made_otherwise_is_not_verified(made: Made, change: dict[str, Any]) -> None:
    assert verdict({**made["Ed25519"]["envelope"], **change}, key(made, "Ed25519")) != "verified"


def test_a_name_that_stands_twice_is_not_verified(made: Made) -> None:
    """One reader takes the first, another the last: nobody could say what was signed."""
    text = json.dumps(made["Ed25519"]["envelope"])
    other = base64.b64encode(b"{}").decode()
    for twice in (f'{{"payload":"{other}",{text[1:]}', f'{text[:-1]},"payload":"{other}"}}'):
        assert signatures(twice.encode(), [key(made, "Ed25519")]).verdict == "not verified"


def test_very_many_signatures_are_not_all_looked_at(made: Made) -> None:
    value = made["Ed25519"]["envelope"]
    many = {**value, "signatures": [{"sig": "AAAA"}] * 100_000 + value["signatures"]}
    found = signatures(json.dumps(many).encode(), [key(made, "Ed25519")])
    assert found.verdict == "not verified"
    assert found.all[-1].why == "only the first 64 were looked at"


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"\xff", b'{"payload":1,"payloadType":2}', b'{"a":' * 5000 + b"1" + b"}" * 5000]
)
def test_rubbish_has_no_good_signature(payload: bytes) -> None:
    assert signatures(payload, []).verdict == "not verified"


def test_what_is_verified_is_what_the_adapter_read(made: Made) -> None:
    """Wherever the verdict is good, the statement that became triples is the one in the bytes that were signed."""
    plain = statements.map_statement(json.loads(_STATEMENT), base=BASE).quads.decode().splitlines()
    run = {line.split(" ")[0] for line in plain if "startedAtTime" in line}
    value = made["Ed25519"]["envelope"]
    unsigned = base64.b64encode(b'{"predicateType":"x","subject":[{"name":"forged"}]}').decode()
    for said in (value, {"dsseEnvelope": value}, {**value, "dsseEnvelope": {**value, "payload": unsigned}}):
        quads = formats.named("statement").map(said, base=BASE).quads.decode()  # type: ignore[union-attr]
        good = verdict(said, key(made, "Ed25519")) == "verified"
        assert ({line.split(" ")[0] for line in quads.splitlines() if "startedAtTime" in line} == run) is good


def test_what_the_verifier_takes_for_base64_the_adapter_reads_as_the_same() -> None:
    def sealed(payload: str) -> Any:
        return {"payloadType": "application/vnd.in-toto+json", "payload": payload}

    with pytest.raises(InvalidInput):
        statements.map_statement(sealed("a\nb="), base=BASE)
    assert verdict(sealed("YQ\n==")) == "not verified"


# --- keys ------------------------------------------------------------------------------------------------------------


def _public(private: Any) -> bytes:
    found: bytes = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def test_what_is_no_key_for_signing_is_refused() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    odd = ec.generate_private_key(ec.SECP256K1())
    for pem in (b"", b"x", secret, _public(weak), _public(odd), _public(x25519.X25519PrivateKey.generate())):
        with pytest.raises(Refused) as caught:
            Trusted.parse(pem, "it")
        assert str(caught.value).startswith("it: ")
    with pytest.raises(Refused):
        Trusted.parse(_public(dsa.generate_private_key(key_size=2048)), "it")


def test_trusted_keys_are_files_and_directories(tmp_path: Path) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "b.pem").write_bytes(_public(private))
    (folder / "a.pem").write_bytes(_public(private))
    (folder / ".hidden").write_text("no key")
    assert [each.name for each in trusted_keys([str(folder), str(folder / "a.pem")])] == ["a.pem", "b.pem", "a.pem"]
    (folder / "c.pem").write_text("no key")
    for place in (folder, folder / "c.pem", folder / "nowhere.pem"):
        with pytest.raises(Misconfigured, match="of the trusted keys"):
            trusted_keys([str(place)])


# --- asked -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(made: Made, tmp_path: Path) -> Path:
    """A store with a statement that is signed by two keys, one that nobody signed, and an event; and their files."""
    with store_in(tmp_path / "store") as store:
        store.ingest([_sent(made["two"]["envelope"]), _sent(json.loads(_STATEMENT))])
    (tmp_path / "ed.pem").write_text(made["Ed25519"]["key"])
    (tmp_path / "rsa.pem").write_text(made["rsassa-pss-sha256"]["key"])
    (tmp_path / "envelope.json").write_text(json.dumps(made["two"]["envelope"]))
    (tmp_path / "statement.json").write_bytes(_STATEMENT)
    return tmp_path


def _sent(value: dict[str, Any]) -> Submission:
    form = formats.of_payload(value)
    return Submission(json.dumps(value).encode(), form.media_types[0], "tests", form.map(value, base=BASE))


def asked(place: Path, *given: str, **settings: Any) -> tuple[int, list[dict[str, Any]]]:
    done = command("signatures", "--format", "json", *given, settings={"data": place / "store", **settings})
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_command_tells_of_all_statements_and_says_no_where_one_is_not_verified(place: Path) -> None:
    code, rows = asked(place, "--trust", str(place / "ed.pem"))
    assert code == 1
    assert [(row["verdict"], row["index"], row["key"]) for row in rows] == [
        ("verified", 1, "ed.pem"),
        ("verified", 1, ""),
        ("unsigned", 2, ""),
    ]
    record = rows[0]["statement"]
    assert asked(place, "--trust", str(place / "ed.pem"), record)[0] == 0
    assert asked(place, record, trusted_keys=place / "ed.pem")[0] == 0
    assert asked(place, record, "--trust", str(place / "rsa.pem"))[0] == 1
    assert asked(place, record)[0] == 1


def test_a_file_is_judged_before_it_is_taken_in(place: Path) -> None:
    trust = ("--trust", str(place / "ed.pem"))
    assert asked(place, *trust, str(place / "envelope.json"))[0] == 0
    assert asked(place, *trust, str(place / "statement.json"))[0] == 1
    for wrong in (place / "ed.pem", place / "nowhere.json", f"{BASE}/record/{'0' * 64}"):
        done = command("signatures", str(wrong), settings={"data": place / "store"})
        assert (done.returncode, done.stdout) == (2, b""), wrong


def test_the_page_and_its_json_tell_it(place: Path) -> None:
    with serving(place / "store", trusted_keys=place / "ed.pem") as server:
        _, rows = asked(place, "--trust", str(place / "ed.pem"))
        for row, words in ((rows[0], "which this server was told to trust"), (rows[2], "is not signed")):
            path = f"/records/{row['statement'].rpartition('/')[2]}"
            assert words in server.http.get(path, headers={"accept": "text/html"}).text
            said = server.http.get(path, headers={"accept": "application/json"}).json()
            assert said["signed"]["verdict"] == row["verdict"]
    assert said["signed"]["signatures"] == []


def test_a_server_does_not_start_with_a_key_that_is_none(place: Path) -> None:
    done = command("serve", "--port", "0", settings={"data": place / "store", "trusted_keys": place / "statement.json"})
    assert done.returncode == 2
    assert b"holds no public key" in done.stderr


def test_a_package_tells_it_where_provstore_is_not(place: Path) -> None:
    ledger = Ledger(place / "store")
    (place / "package.zip").write_bytes(packages.package(ledger, 1, 2))
    ledger.close()
    members = packages.put(packages.files((place / "package.zip").read_bytes()), place / "package")
    trusted = [Trusted.parse((place / "ed.pem").read_bytes(), "ed.pem")]
    for path in (place / "package.zip", members):
        report = verify.check(path, trusted=trusted)
        assert report.ok
        assert report.notes[0].startswith("entry 1: signed by ed.pem, a key that you trust (SHA-256 ")
        assert report.notes[1].startswith("entry 1: not verified: none of the trusted keys made it")
        assert report.notes[2] == "entry 2: the statement is not signed"
        assert len(verify.check(path).notes) == 1
    alone = subprocess.run(
        ["python3", members / "verify.py", members, "--trust", place / "ed.pem"],
        capture_output=True,
        check=False,
    )
    assert (alone.returncode, b"signed by ed.pem" in alone.stdout) == (0, True), alone.stderr
    done = command("verify", place / "package.zip", "--trust", place / "ed.pem")
    assert b"entry 1: signed by ed.pem" in done.stdout


def test_that_it_is_verified_changes_no_triple(place: Path) -> None:
    store = ProvStore(place / "store")
    try:
        held = "".join(store.views.store.dump())
    finally:
        store.close()
    assert "ns#Signature" in held
    assert "verified" not in held
