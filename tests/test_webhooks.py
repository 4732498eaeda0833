"""MLflow's webhooks: whose are believed, and what is answered to those that are not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provstore.errors import Busy, InvalidInput, Refused
from provstore.pull.mlflow.webhooks import MAX_AGE, Delivery, Gate, Listener
from tests.suites import path

SECRET = "s3cr3t"
NOW = 1_795_350_080
BODY = json.dumps(
    {
        "entity": "model_version_alias",
        "action": "created",
        "timestamp": "2026-11-22T12:21:19.240440+00:00",
        "data": {"name": "m1", "alias": "champion", "version": "1"},
    }
).encode()


def signed(body: bytes, identifier: str = "d1", at: int = NOW, secret: str = SECRET) -> dict[str, str]:
    """The headers that MLflow sends with a body."""
    text = f"{identifier}.{at}.".encode() + body
    mark = base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()
    return {
        "X-MLflow-Delivery-Id": identifier,
        "X-MLflow-Timestamp": str(at),
        "X-MLflow-Signature": f"v1,{mark}",
    }


def test_deliveries_of_a_real_server_are_believed() -> None:
    lines = (path("mlflow") / "webhook_deliveries.ndjson").read_text().splitlines()
    gate = Gate(SECRET)
    found = []
    for line in lines:
        sent: dict[str, Any] = json.loads(line)
        found.append(gate.admit(sent["h"], json.dumps(sent["b"]).encode(), sent["t"]))
    assert [(each.entity, each.action) for each in found] == [
        ("registered_model", "created"),
        ("model_version", "created"),
        ("model_version_tag", "set"),
        ("model_version_alias", "created"),
        ("model_version_alias", "deleted"),
        ("model_version_alias", "created"),
    ]
    assert found[-1].data == {"name": "m1", "alias": "prod", "version": "1"}


def test_names_of_headers_are_read_in_any_case() -> None:
    headers = {name.lower(): value for name, value in signed(BODY).items()}
    assert Gate(SECRET).admit(headers, BODY, NOW).identifier == "d1"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        (signed(BODY, secret="another"), BODY),
        (signed(BODY), BODY.replace(b'"1"', b'"2"')),
        (signed(BODY) | {"X-MLflow-Delivery-Id": "d2"}, BODY),
        (signed(BODY) | {"X-MLflow-Timestamp": str(NOW + 1)}, BODY),
        (signed(BODY) | {"X-MLflow-Signature": "v1,"}, BODY),
        (signed(BODY) | {"X-MLflow-Signature": "\udcff"}, BODY),
        (signed(BODY, identifier=""), BODY),
    ],
)
def test_what_the_secret_did_not_sign_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Refused, match="signature") as caught:
        Gate(SECRET).admit(headers, body, NOW)
    assert caught.value.status == 401


@pytest.mark.parametrize("age", [MAX_AGE + 1, -MAX_AGE - 1, 10**9])
def test_what_is_old_or_from_the_future_is_refused(age: int) -> None:
    with pytest.raises(Refused, match="clock"):
        Gate(SECRET).admit(signed(BODY), BODY, NOW + age)


@pytest.mark.parametrize("at", ["", "soon", "1e9", "٣", "9" * 5000])
def test_a_timestamp_that_is_none_is_refused(at: str) -> None:
    text = f"d1.{at}.".encode() + BODY
    mark = base64.b64encode(hmac.digest(SECRET.encode(), text, hashlib.sha256)).decode()
    headers = {"X-MLflow-Delivery-Id": "d1", "X-MLflow-Timestamp": at, "X-MLflow-Signature": f"v1,{mark}"}
    with pytest.raises(Refused, match="clock"):
        Gate(SECRET).admit(headers, BODY, NOW)


def test_what_was_let_in_is_not_let_in_again_unless_it_could_not_be_kept() -> None:
    gate = Gate(SECRET)
    delivery = gate.admit(signed(BODY), BODY, NOW)
    with pytest.raises(Refused, match="came before") as caught:
        gate.admit(signed(BODY), BODY, NOW)
    assert caught.value.status == 409
    gate.forget(delivery)
    assert gate.admit(signed(BODY), BODY, NOW) == delivery


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b'{"data": []}', b'{"data": {}}', b"[" * 100_000]))
def test_what_is_signed_and_no_webhook_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        Gate(SECRET).admit(signed(body), body, NOW)


# --- the listener ----------------------------------------------------------------------------------------------------


class Taken:
    """Keeps what was taken; refuses as a store does that is busy, while `busy` is set."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.busy = False

    def __call__(self, delivery: Delivery) -> None:
        if self.busy:
            raise Busy("the store is busy")
        self.deliveries.append(delivery)


@contextmanager
def listening(taken: Taken) -> Iterator[httpx.Client]:
    listener = Listener("127.0.0.1", 0, Gate(SECRET), taken)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.port}", timeout=30, trust_env=False) as http:
            yield http
    finally:
        listener.close()


def test_a_delivery_is_answered_when_it_is_kept() -> None:
    taken, headers = Taken(), signed(BODY, at=int(time.time()))
    with listening(taken) as http:
        taken.busy = True
        assert http.post("/", content=BODY, headers=headers).status_code == 503
        taken.busy = False
        assert http.post("/", content=BODY, headers=headers).status_code == 200
        assert http.post("/", content=BODY, headers=headers).status_code == 409
    assert [each.identifier for each in taken.deliveries] == ["d1"]


def test_a_delivery_is_as_old_as_it_is_by_mlflows_clock() -> None:
    taken = Taken()
    listener = Listener("127.0.0.1", 0, Gate(SECRET), taken, lambda: NOW + 1.0)
    try:
        place = f"http://127.0.0.1:{listener.port}/"
        assert httpx.post(place, content=BODY, headers=signed(BODY), trust_env=False).status_code == 200
    finally:
        listener.close()


def test_what_is_no_delivery_is_refused_and_not_taken() -> None:
    taken = Taken()
    with listening(taken) as http:
        assert http.post("/", content=BODY).status_code == 401
        assert http.post("/", content=b"x" * ((1 << 20) + 1)).status_code == 413
        assert http.post("/", content=iter([BODY]), headers=signed(BODY)).status_code == 400  # no Content-Length
        assert http.get("/").status_code == 501
    assert not taken.deliveries
