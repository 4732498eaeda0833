"""Redaction: secrets go, by their names and by their forms; everything else stays as it was."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provstore.capture.redaction import REDACTED, Spared, Sparing, cleaned, redact, refuse_secrets, scrub, secret_name
from provstore.capture.syntax import Document, map_document
from provstore.errors import InvalidInput
from provstore.observe.redaction import suspicious
from tests.stores import BASE


def words(text: str) -> list[str]:
    return text.split()


SECRET_NAMES = words(
    "token HF_TOKEN access_token new_access_token AWS_SECRET_ACCESS_KEY aws_access_key_id apiKey api-key --api-key"
    " db.password PGPASSWORD client_secret GOOGLE_APPLICATION_CREDENTIALS connectionString connection_string db_pass"
    " X-Amz-Signature privateKey ssh_key Authorization authToken access_tokens MYSQL_PWD MLFLOW_TRACKING_TOKEN"
    " mlflow_tracking_password sasToken x-api-key SSL_KEY_PASSPHRASE usage_api_key Secrets"
)
PLAIN_NAMES = words(
    "tokenizer max_tokens n_tokens token_count pad_token eos_token decoder_start_token token_type_ids max_new_tokens"
    " num_tokens_per_batch key primary_key foreign_key keyword keys sort_key bypass pass n_pass compass secretary"
    " author authors monkey tokens input_tokens password_count passwordless hidden_size api_version password_policy"
)

#: What must not be found again, in texts as people and tools write them.
SECRET = "hunter2hunter2"
TEXTS = [
    "postgresql://scott:{}@db.example:5432/risk",
    "mysql+pymysql://scott:a@{}@db/risk",
    "postgres://scott:a/{}@db/risk",
    "https://{}@github.com/acme/risk.git",
    "git clone https://oauth2:{}@gitlab.example/acme/risk.git && make",
    "jdbc:postgresql://db/risk?user=scott&password={}&ssl=true",
    "Server=db;UID=scott;PWD={};Database=risk",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==;EndpointSuffix=core.windows.net",
    "curl -u scott:{} https://example.org/x",
    "https://example.org/x.csv?page=2&token={}",
    "python train.py --password {} --epochs 3",
    "python train.py --api-key={} --epochs 3",
    "export AWS_SECRET_ACCESS_KEY={}",
    '{{"user": "scott", "password": "{}", "epochs": 3}}',
    '{{"password": "a\\"{}"}}',
    "{{'user': 'scott', 'token': '{}'}}",
    '"{{\\"client_secret\\": \\"{}\\"}}"',
    "CREATE ROLE scott LOGIN ENCRYPTED PASSWORD '{}'",
    "CREATE USER 'scott'@'%' IDENTIFIED BY '{}'",
    "create user scott identified with sha256_password by '{}';",
    "CREATE SECRET s (TYPE s3, KEY_ID 'A', SECRET '{}', REGION 'eu')",
    "COPY INTO t FROM 's3://b' CREDENTIALS=(AWS_KEY_ID='A' AWS_SECRET_KEY='{}')",
    "COPY t FROM 's3://b' ACCESS_KEY_ID 'A' SECRET_ACCESS_KEY '{}'",
    "Authorization: Bearer {}",
    "curl -H 'Authorization: Basic {}' https://example.org",
    "password: {}",
    "db_password = '{}'",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n{}",
    "token: 'it ends nowhere {}",
]
FORMS = [
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1" * 18,
    "github_pat_" + "a1" * 20,
    "glpat-" + "a1" * 10,
    "xoxb-" + "12345-" * 4,
    "AIza" + "a1-_b" * 7,
    "sk-proj-" + "a1" * 20,
    "hf_" + "a1" * 17,
    "dapi" + "0a" * 16,
    "sk_live_" + "a1" * 12,
    "pypi-" + "a1" * 30,
    "Bearer 1234567890abcdef1234",
]
INNOCENT = [
    "SELECT a.token, b.password FROM a JOIN b ON a.token = b.token WHERE max_tokens = 'x'",
    "ssh://git@github.com/acme/risk.git",
    "git@github.com:acme/risk.git",
    "abfss://raw@account.dfs.core.windows.net/risk/x.parquet",
    "s3://bucket/secrets/x.csv",
    "http://localhost:5000/models@champion",
    "https://example.org:8443/a@b?page=2",
    "models:/credit-risk@champion",
    "dbt run --profiles-dir . --target ${PASSWORD}",
    "password: ${DB_PASSWORD}",
    "token={{ env_var('TOKEN') }}",
    "curl -u 1000:1000 && docker run -u app:app x",
    "https://example.org/x?expires=1&policy=open",
    "SELECT a FROM b WHERE c = ? AND sig = 5",
    "Unexpected token 'SELECT' at line 1, wanted the key 'a'",
    "SELECT token 'a', password FROM b WHERE token IN ('x') OR password LIKE 'y%'",
    "the token of the text, and the password that was lost",
    "pad_token=<pad>, max_tokens=512, tokenizer=bert, token_count: 17",
    "2f9a3c0bb1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8",
    "Basic statistics of the bearer certificates",
    "",
]


def test_names() -> None:
    assert [name for name in SECRET_NAMES if not secret_name(name)] == []
    assert [name for name in PLAIN_NAMES if secret_name(name)] == []


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_leaves_the_text_and_the_rest_stays(text: str) -> None:
    written = text.format(SECRET)
    out = scrub(written)
    assert REDACTED in out
    assert "hunter2" not in out
    for kept in ("epochs", "db", "github.com", "EndpointSuffix", "page=2", "Database=risk"):
        assert (kept in written) <= (kept in out)


SIGNED = {
    "https://b.s3.amazonaws.com/x.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F2&X-Amz-Expires=9"
    "&X-Amz-Security-Token={}&X-Amz-Signature={}": "https://b.s3.amazonaws.com/x.csv",
    "https://b.s3.amazonaws.com/x.csv?AWSAccessKeyId=A&Expires=1&Signature={}": "https://b.s3.amazonaws.com/x.csv",
    "https://b/x.csv?versionId=7&amp;X-Amz-Date=1&amp;X-Amz-Signature={}": "https://b/x.csv?versionId=7",
    "https://storage.googleapis.com/b/x?X-Goog-Credential=me%40b&X-Goog-Signature={}#a": "https://storage.googleapis.com/b/x#a",
    "https://d1.cloudfront.net/x?Policy={}&Signature={}&Key-Pair-Id=K": "https://d1.cloudfront.net/x",
    "https://a.blob.core.windows.net/raw/x.csv?sv=2024&se=2027&sr=b&sp=r&sig={}": "https://a.blob.core.windows.net/raw/x.csv",
    "read 'https://a/x?sig={}' and https://a/y?part=1&sig={}": "read 'https://a/x' and https://a/y?part=1",
}


@pytest.mark.parametrize("text", SIGNED)
def test_a_signed_address_is_what_it_was_before_it_was_signed(text: str) -> None:
    assert scrub(text.replace("{}", SECRET)) == SIGNED[text]
    assert redact([text.replace("{}", SECRET)]).pointers == ("/0",)


@pytest.mark.parametrize("form", FORMS)
def test_known_forms_are_found_anywhere(form: str) -> None:
    tail = form.removeprefix("Bearer ")
    for text in (form, f"see {form}, please", f"a={form}", f'"{form}"', f"<{form}>", f"x\n{form}\ny"):
        assert tail not in scrub(text)
        assert redact({"a": [1, text]}).pointers == ("/a/1",)


def test_whatever_holds_a_secret_is_suspicious() -> None:
    values = (
        [text.format(*(SECRET,) * 3) for text in SIGNED]
        + [{name: "x"} for name in SECRET_NAMES]
        + [text.format(SECRET) for text in TEXTS]
        + [f"a {f} b" for f in FORMS]
    )
    assert [each for each in values if not suspicious(json.dumps(each))] == []
    assert not suspicious(json.dumps({"used": [{"name": "/srv/data/2026/a.csv", "sha256": "0" * 64}]}))


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert scrub(text) == text


def test_values_under_a_name_and_where_they_were() -> None:
    payload = {
        "provstore": "mlflow/1",
        "params": [{"key": "password", "value": SECRET}, {"key": "max_tokens", "value": "5"}],
        "properties": [{"name": "API_KEY", "value": 17, "type": "x"}],
        "argv": ["train.py", "--token", SECRET, "--epochs", "3", "--secret", "--verbose"],
        "environ": {"PGPASSWORD": SECRET, "a/b~c": {"credentials": {"user": "scott", "pins": [1, None, True, ""]}}},
        "password_required": True,
    }
    before = json.dumps(payload)
    out = cleaned(payload)
    assert json.dumps(payload) == before
    assert out == {
        "provstore": "mlflow/1",
        "params": [{"key": "password", "value": REDACTED}, {"key": "max_tokens", "value": "5"}],
        "properties": [{"name": "API_KEY", "value": REDACTED, "type": "x"}],
        "argv": ["train.py", "--token", REDACTED, "--epochs", "3", "--secret", "--verbose"],
        "environ": {
            "PGPASSWORD": REDACTED,
            "a/b~c": {"credentials": {"user": REDACTED, "pins": [REDACTED, None, True, ""]}},
        },
        "password_required": True,
        "redacted": [
            "/argv/2",
            "/environ/PGPASSWORD",
            "/environ/a~1b~0c/credentials/pins/0",
            "/environ/a~1b~0c/credentials/user",
            "/params/0/value",
            "/properties/0/value",
        ],
    }
    assert cleaned(out) == out


def test_what_is_said_of_a_column_is_no_secret_whatever_it_is_called() -> None:
    field = {"inputFields": [{"namespace": "db", "name": "users", "field": "password"}]}
    columns = {"fields": {"password": field, "token": field}, "columnMetrics": {"api_key": {"nullCount": 3}}}
    told = {"facets": columns, "schema": {"fields": [{"name": "password", "type": "TEXT"}]}}
    assert redact(told).value == told
    assert redact({"columns": {"password": "hunter2", "login": {"password": "hunter2"}}}).pointers == (
        "/columns/login/password",
        "/columns/password",
    )


def test_nothing_is_added_where_nothing_was() -> None:
    payload = {"provstore": "dvc/1", "cmd": "python train.py", "size": 3, "pad_token": "<pad>"}
    assert cleaned(payload) == payload


def test_a_secret_in_a_key_is_not_told_by_its_pointer() -> None:
    found = redact({f"postgresql://u:{SECRET}@h": 1, "postgresql://[redacted]@h": 2})
    assert SECRET not in json.dumps([found.value, found.pointers])
    assert sorted(found.value.values()) == [1, 2]


# --- payloads on their way into a store ----------------------------------------------------------------------------

PLAIN, ROWS = Sparing(), Sparing(frozenset(("list", "seen[]")), frozenset(("seen", "error/message")))


def spared(sparing: Sparing, text: str, how: str = "secrets") -> tuple[str, Any]:
    once = sparing.spare(text.encode(), json.loads(text), how)
    assert json.loads(once.raw) == once.value
    assert set(once.taken) <= set(once.value.get("redacted", ()))
    assert sparing.spare(once.raw, once.value, how) == replace(once, taken=())
    return once.raw.decode(), once.value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "postgresql://u:hunter2@h"}',
        '{"\\u0070assword": "hunter2"}',
        '{"password": "hunter2", "password": null}',
        '{"a": {"list": 1, "password": "hunter2"}, "a": {}}',
        '{"redacted": {"password": "hunter2"}}',
        '{"redacted": ["password=hunter2"]}',
        '{"redacted": "password=hunter2"}',
        '{"redacted": ["/a", 7, {"password": "hunter2"}], "token": "hunter2"}',
    ],
)
def test_no_secret_hides_in_a_payload(text: str) -> None:
    raw, value = spared(PLAIN, text)
    assert "hunter2" not in raw
    assert all(isinstance(each, str) for each in value.get("redacted", ()))
    assert PLAIN.spare(text.encode(), json.loads(text), "off") == Spared(text.encode(), json.loads(text))


@pytest.mark.parametrize(
    "text", ['{ "key" : 1.50,\n"redacted": ["/b", "/a"] }', '{"a": "\\u00e9"}', '{"list": [], "seen": 3}']
)
def test_a_payload_without_secrets_keeps_its_bytes(text: str) -> None:
    assert spared(ROWS, text)[0] == text


def test_values_of_rows_go_and_numbers_stay() -> None:
    text = json.dumps(
        {
            "list": ["x"],
            "seen": ["x"],
            "count": 1,
            "inner": [{"list": {"a": "x"}, "seen": 3, "error": {"message": "x"}}, {"seen": "x"}],
            "redacted": ["/before"],
        }
    )
    _, some = spared(ROWS, text)
    assert some["redacted"] == ["/before", "/inner/0/list", "/list", "/seen"]
    assert some["inner"][1] == {"seen": "x"}
    _, none = spared(ROWS, text, "values")
    assert none["redacted"] == [
        "/before",
        *("/inner/0/error/message", "/inner/0/list", "/inner/1/seen", "/list", "/seen"),
    ]
    assert (none["inner"][0]["seen"], none["count"]) == (3, 1)


def test_a_list_of_rows_under_a_secret_key_tells_no_secret() -> None:
    _, value = spared(ROWS, json.dumps({"mysql://u:hunter2@h": {"list": ["x"]}}))
    assert "hunter2" not in json.dumps(value)


@pytest.mark.parametrize(
    ("media_type", "text"),
    [
        ("text/turtle", "@prefix token: <https://bank.example/token#> . [ token:of token:x ] token:key token:y ."),
        ("text/turtle", '[ <https://x/label> "password" , "the token of a text" ; <https://x/max_tokens> "5" ] .'),
        (
            "text/turtle",
            '<urn:x> <https://x/authorization> "IRB 2026-17" ; <https://x/credential> "MD" ; <https://x/token> "" .',
        ),
        ("text/turtle", "# what a password is, and where tokens come from\n<urn:token:a> <urn:p> <urn:b> ."),
        (
            "application/ld+json",
            '{"@context": {"token": "https://x/token", "password": {"@id": "https://x/p"}},'
            ' "@id": "urn:x", "@type": "urn:C"}',
        ),
    ],
)
def test_documents_that_only_speak_of_secrets_are_taken(media_type: str, text: str) -> None:
    mapped = map_document(Document(text.encode(), media_type, BASE))
    refuse_secrets(text.encode(), media_type, mapped.quads)


def test_a_document_that_is_too_deep_to_be_looked_through_is_refused() -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    with pytest.raises(InvalidInput, match="nested too deeply"):
        refuse_secrets(deep.encode(), "application/ld+json", b"")


NAMES = st.sampled_from([*SECRET_NAMES, *PLAIN_NAMES, "key", "name", "value"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | NAMES, inner, max_size=4),
    max_leaves=12,
)
_QUOTES = ("'", '"', "\\", "\\'")
PIECES = st.sampled_from(
    [
        *SECRET_NAMES,
        *PLAIN_NAMES,
        *FORMS,
        "=",
        ": ",
        " = ",
        " ",
        "'",
        '"',
        "\\",
        "\\'",
        "--",
        "://",
        "@",
        "&",
        "?",
        "?sig=",
        "curl -u ",
        REDACTED,
    ]
)


@given(JSON)
def test_what_is_not_suspicious_holds_nothing(value: Any) -> None:
    assert suspicious(json.dumps(value, ensure_ascii=False)) or redact(value).pointers == ()


@given(JSON)
def test_redacting_again_changes_nothing(value: Any) -> None:
    once = redact(value)
    again = redact(once.value)
    assert again.value == once.value
    assert again.pointers == ()


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
@example("token='Bearer")
def test_scrubbing_again_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@given(
    st.sampled_from(SECRET_NAMES), st.sampled_from(["=", ": ", '": "', "='"]), st.text(max_size=3), st.integers(0, 3)
)
def test_a_named_secret_is_found_in_any_surroundings(name: str, between: str, around: str, depth: int) -> None:
    text = f"{around} {name.strip('-')}{between}{SECRET}"
    value: Any = text
    for _ in range(depth):
        value = {around: [value]}
    assert SECRET not in json.dumps(redact(value).value)


@given(JSON)
def test_shape_and_what_is_not_named_stay(value: Any) -> None:
    """The pointers name all that changed: put back there, the values give what was."""
    found = redact(value)
    assert len(found.pointers) == len(set(found.pointers))
    assert _differences(value, found.value, "") <= set(found.pointers)


def _differences(before: Any, after: Any, at: str) -> set[str]:
    if isinstance(before, dict):
        assert len(before) == len(after)
        pairs = [(a, before[b], after[a]) for a, b in zip(after, before, strict=True)]
        below = (_differences(b, a, f"{at}/{k.replace('~', '~0').replace('/', '~1')}") for k, b, a in pairs)
        return set().union(*below)
    if isinstance(before, list):
        assert len(before) == len(after)
        below = (_differences(b, a, f"{at}/{n}") for n, (b, a) in enumerate(zip(before, after, strict=True)))
        return set().union(*below)
    return set() if before == after and type(before) is type(after) else {at}


@pytest.mark.parametrize(
    "piece",
    [
        *words("a a. :// http://a: a@ eyJ- eyJa. password=' token: \\\" token=\\ - sk-a a://b:c@d: a='b=' token=\"\\"),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "?",
            "?a=",
            "?sig=a&",
            "&s=",
            "curl -u ",
            "curl -u a:",
            "x ",
            " ",
            "bearer 1",
            "bearer ",
            "token ' ",
        ),
    ],
)
def test_hostile_text_takes_one_pass(piece: str) -> None:
    """Sixteen times the text takes far from 256 times as long."""

    def seconds(length: int) -> float:
        text, best = f"{piece * (length // len(piece))} secret ://@", 99.0
        for _ in range(2):
            begun = time.process_time()
            scrub(text)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(160_000) < 64 * max(seconds(10_000), 0.001)
