"""Secrets and values of people by every way in: a canary where tools put them, and every byte that is kept."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from provstore.record import Vault
from tests import canaries
from tests.canaries import Canaries, everything
from tests.repositories import Git
from tests.servers import Server, command, serving
from tests.suites import ROOT

DOCS = ROOT / "docs" / "privacy.md"


def reasons() -> set[str]:
    """The names under which docs/privacy.md gives reasons for what is kept as it was sent."""
    _, _, after = DOCS.read_text().partition("## What is kept as it was sent")
    return set(re.findall(r"^\| \*\*(\w+)\*\* \|", after.partition("\n## ")[0], re.MULTILINE))


def send(server: Server, c: Canaries, taking: bool = True) -> None:
    """Everything, by the routes that its tools use; receipts say whether something was taken out."""
    for payloads in canaries.PAYLOADS:
        route = "/api/v1/lineage" if payloads is canaries.openlineage else "/records"
        for each in payloads(c):
            answer = server.post(each, route)
            assert answer.status_code == 201, answer.text
            taken = [
                told for told in answer.json().get("liberties", []) if told["message"] == "taken out before it was kept"
            ]
            assert bool(taken) == taking
    assert server.rdf(canaries.prov(c)).status_code == 201


def looked_at(server: Server, folder: Path) -> Path:
    """The pages of a store and its package, written down; every answer that shows what was sent."""
    head = int(server.http.get("/health").json()["head"])
    shown = folder / "shown"
    shown.mkdir()
    rows = server.rows("SELECT DISTINCT ?r { ?r a <https://w3id.org/provstore/ns#Record> }", min_index=head)
    things = server.rows("SELECT DISTINCT ?s { ?s ?p ?o FILTER(isIRI(?s)) } ORDER BY ?s LIMIT 40", min_index=head)
    records = [f"/records/{row['r'].rpartition('/')[2]}" for row in rows]
    pages = [f"/entity?iri={quote(row['s'], safe='')}" for row in things]
    for number, path in enumerate([*records, *pages, "/", "/ledger", "/search?q=postgres"]):
        for kind in ("text/html", "application/json"):
            answer = server.http.get(path, headers={"accept": kind})
            (shown / f"{number}.{kind[-4:]}").write_bytes(answer.content)
    done = command("export", shown / "all.zip", "--all", "--server", server.url)
    assert done.returncode == 0, done.stderr.decode()
    return shown


def test_no_secret_that_is_sent_is_kept_and_what_is_kept_is_documented(tmp_path: Path) -> None:
    c, no = Canaries(), Canaries("b")
    data, log = tmp_path / "data", tmp_path / "data.stderr"
    with serving(data, log_level="debug") as server:
        send(server, c)
        for kind, text in canaries.refused(no):
            answer = server.post(text, "/records", content_type=kind)
            assert answer.status_code == 422, text
            assert not no.leaked(answer.content)
            assert "looks like a secret" in answer.json()["detail"]
        shown = looked_at(server, tmp_path)
        redacted = server.rows("SELECT ?at { ?r <https://w3id.org/provstore/ns#redacted> ?at }")
    held = everything(data, log, shown)
    assert c.leaked(held) == []
    assert no.leaked(held) == []
    assert c.lost(everything(data)) == []
    assert c.lost(everything(shown)) == []
    assert not [canary for canary in c.kept if canary.encode() in log.read_bytes()]
    assert {why for why, _ in c.kept.values()} == reasons() - {"digests"}
    assert "/run/facets/environmentVariables/environmentVariables/0/value" in {row["at"] for row in redacted}


def test_a_store_that_is_told_not_to_look_keeps_what_it_is_sent(tmp_path: Path) -> None:
    """Also that every canary is found where it is: what the other tests do not find is not there."""
    c = Canaries()
    with serving(tmp_path / "data", redact="off") as server:
        send(server, c, taking=False)
        for kind, text in canaries.refused(c):
            assert server.post(text, "/records", content_type=kind).status_code == 201
    held = everything(tmp_path / "data")
    assert sorted(set(c.secrets.values()) - set(c.leaked(held))) == []
    assert c.lost(held) == []


@pytest.mark.parametrize(("redact", "gone"), [("secrets", set()), ("values", {"errors", "environment"})])
def test_files_are_ingested_as_the_setting_says(tmp_path: Path, redact: str, gone: set[str]) -> None:
    c = Canaries()
    files = []
    for payloads in canaries.PAYLOADS:
        files.append(tmp_path / f"{payloads.__name__}.ndjson")
        files[-1].write_text("".join(f"{json.dumps(each)}\n" for each in payloads(c)))
    done = command("ingest", "--data", tmp_path / "data", *files, settings={"redact": redact})
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    again = command("ingest", "--data", tmp_path / "data", *files, settings={"redact": redact})
    assert b"0 taken" in again.stdout
    held = everything(tmp_path / "data")
    assert c.leaked(held) == []
    wanted = {where for why, where in c.kept.values() if why in gone}
    assert set(c.lost(held)) == wanted


def test_a_payload_with_nothing_to_take_out_is_kept_byte_for_byte(tmp_path: Path) -> None:
    text = '{ "provstore":"step/1",\n "id": "7", "name":"the key", "end": "2026-03-01T00:00:00Z"}'
    (tmp_path / "step.json").write_text(text)
    done = command("ingest", "--data", tmp_path / "data", tmp_path / "step.json")
    assert done.returncode == 0, done.stdout
    assert text.encode() in everything(tmp_path / "data")


def test_only_its_owner_looks_into_a_store(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.rdf(canaries.prov(Canaries()))
    for verb, given, data in (("backup", "copy", "data"), ("restore", "copy", "again")):
        done = command(verb, tmp_path / given, "--data", tmp_path / data)
        assert done.returncode == 0, done.stderr.decode()
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("data", "copy", "again")}
    assert modes == dict.fromkeys(modes, 0o700)


# --- what brings things in -----------------------------------------------------------------------------------------


def test_a_repository_of_dvc_gives_no_secret(tmp_path: Path) -> None:
    c = Canaries()
    git = Git(tmp_path / "repo")
    git("remote", "add", "origin", f"https://ci:{c.secret('DVC: address of the remote')}@git.example/risk.git")
    lock = f"""schema: '2.0'
stages:
  fetch:
    cmd:
    - python fetch.py --password {c.secret("DVC: option of a command")} --out in.csv
    - curl -u ana:{c.secret("DVC: login of curl")} https://x/in.csv
    - DB_PASSWORD={c.secret("DVC: variable of a command")} python load.py --customer {c.stays("code", "DVC: command")}
    deps:
    - {{path: in.csv, hash: md5, md5: {"ab" * 16}, size: 2}}
    params:
      params.yaml:
        db.password: {c.secret("DVC: parameter")}
        customer: {c.stays("parameters", "DVC: parameter")}
    outs:
    - {{path: out.csv, hash: md5, md5: {"cd" * 16}, size: 1}}
"""
    signed = f"https://b.s3.amazonaws.com/x.csv?X-Amz-Date=1&X-Amz-Signature={c.secret('DVC: signed import-url')}"
    out = f"outs: [{{path: x.csv, hash: md5, md5: {'ef' * 16}, size: 1}}]"
    imported = f"deps: [{{path: '{signed}', hash: md5, md5: {'ef' * 16}}}]\n{out}\n"
    git.write({"dvc.lock": lock, "x.csv.dvc": imported})
    pipeline = f"stages:\n  fetch:\n    cmd: python fetch.py --token {c.secret('DVC: dvc.yaml')}\n    deps: [in.csv]\n"
    git.commit(f"load for {c.stays('descriptions', 'DVC: commit message')}", {"dvc.yaml": pipeline})
    done = command("capture", "dvc", git.directory, "--data", tmp_path / "data")
    assert done.returncode == 0, done.stderr.decode()
    held = everything(tmp_path / "data")
    assert c.leaked(held + done.stdout + done.stderr) == []
    assert c.lost(held) == []


_PROGRAM = """
import os
from provstore import record

s, k = iter(os.environ["SECRETS"].split()), iter(os.environ["KEPT"].split())

@record.step("train", arguments=["password", "url", "depth"])
def train(password, url, depth):
    with record.step("load") as step:
        step.used(f"postgresql://etl:{next(s)}@db/risk/people")
        step.used(f"https://b.s3.amazonaws.com/in.csv?versionId=7&X-Amz-Signature={next(s)}")
        step.used(record.table(f"postgresql://etl:{next(s)}@db", "people"))
        step.generated(record.model(f"s3://AKIA:{next(s)}@models/m.pkl"))
        step.parameter("config", {"smtp": {"password": next(s)}, "note": next(k)})
        step.generated(record.item("p-1", value=record.commit(next(s), subject="p-7"), subject="p-7"))
        step.agent(next(k))
        step.measured("auc", 0.9, slice={"token": next(s)})

train(next(s), f"mysql://u:{next(s)}@db/x", next(k))
try:
    with record.step("fails"):
        raise RuntimeError(next(s))
except RuntimeError:
    pass
"""


def test_the_recorder_writes_no_secret_down(tmp_path: Path) -> None:
    c = Canaries()
    places = [
        *("database URL", "signed URL", "namespace of a table", "model", "nested parameter"),
        *("committed value", "slice", "argument password", "argument url", "message of what was raised"),
    ]
    s = [c.secret(f"recorder: {place}") for place in places]
    order = [*s[:7], *s[7:]]
    k = [c.stays("parameters", "recorder: parameter"), c.stays("people", "recorder: agent")]
    depth = c.stays("parameters", "recorder: argument")
    # the arguments of the call come before what it does
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PROVSTORE_")},
        "SECRETS": " ".join([order[7], order[8], *order[:7], order[9]]),
        "KEPT": " ".join([depth, *k]),
        "API_KEY": c.secret("recorder: variable of the environment"),
        "PROVSTORE_SPOOL": str(tmp_path / "spool"),
        "PYTHONPATH": str(ROOT),
    }
    for where in ("spool alone", "sent"):
        if where == "sent":
            environ["PROVSTORE_DATA"] = str(tmp_path / "data")
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], cwd=tmp_path, env=environ, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        vault = tmp_path / "spool" / "vault.db"
        assert c.leaked(vault.read_bytes()) == ["recorder: committed value"]
        assert Vault(vault).erase(subject="p-7") == 1
        held = everything(tmp_path / "spool")
        assert c.leaked(held + done.stdout + done.stderr) == []
    held = everything(tmp_path / "data")
    assert c.leaked(held) == []
    assert c.lost(held) == []


# --- what was kept all the same ------------------------------------------------------------------------------------


def test_a_retraction_takes_a_value_out_of_the_answers_and_not_out_of_the_ledger(tmp_path: Path) -> None:
    c = Canaries()
    asked = "SELECT ?label { <urn:canary> <http://www.w3.org/2000/01/rdf-schema#label> ?label }"
    with serving(tmp_path / "data") as server:
        wrong = server.rdf(canaries.prov(c)).json()
        assert server.rows(asked, min_index=wrong["index"])
        gone = server.rdf(f"<> <https://w3id.org/provstore/ns#supersedes> <{wrong['record']}> .").json()
        assert server.rows(asked, min_index=gone["index"]) == []
    assert c.lost((tmp_path / "data" / "ledger.db").read_bytes() + everything(tmp_path / "data")) == []


def test_a_store_made_anew_of_the_other_payloads_holds_nothing_of_one(tmp_path: Path) -> None:
    c = Canaries()
    old, new, package = tmp_path / "data", tmp_path / "new", tmp_path / "all"
    with serving(old, redact="off") as server:
        (told, described) = canaries.openlineage(Canaries("b"))
        kept = [server.post(each, "/records").json()["record"] for each in (described, *canaries.own(Canaries("d")))]
        index = server.post(canaries.openlineage(c)[0], "/records").json()["index"]
        kept.append(server.post(told, "/records").json()["record"])
        assert command("export", f"{package}/", "--all", "--server", server.url).returncode == 0
    base = json.loads((package / "manifest.json").read_text())["base"]
    files = [path for path in package.glob("records/*/payload.*") if path.parent.name != str(index)]
    done = command("ingest", "--data", new, "--base", base, *files, settings={"redact": "off"})
    assert done.returncode == 0, done.stdout.decode()
    with serving(new) as server:
        rows = server.rows("SELECT ?r { ?r a <https://w3id.org/provstore/ns#Record> }")
        assert {row["r"] for row in rows} == set(kept)
    held = everything(new)
    assert c.leaked(held) == []
    assert len(c.lost(held)) == len(c.kept)
    assert command("verify", "--data", new, "--views").returncode == 0


_FAULT = """
import logging.config, sys
from provstore.api import logs
logging.config.dictConfig(logs.config("debug"))
for name in ("provstore", "uvicorn.error", "asyncio"):
    try:
        try:
            int(sys.argv[1])
        except ValueError as error:
            raise KeyError(sys.argv[1]) from error
    except KeyError:
        logging.getLogger(name).exception("GET /x failed")
"""


def test_a_fault_is_logged_without_what_it_quotes() -> None:
    done = subprocess.run([sys.executable, "-c", _FAULT, "canary"], capture_output=True, text=True, check=True)
    assert done.stderr.count("GET /x failed") == 3
    assert done.stderr.count("builtins.KeyError") == 3
    assert done.stderr.count('File "<string>", line ') == 6
    assert "canary" not in done.stderr
