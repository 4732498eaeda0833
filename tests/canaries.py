"""Payloads of every format with a canary in each place where the format's tools put secrets or values of people.

A canary is a text that stands nowhere else. A `secret` must not be found in anything that a store keeps; what `stays`
is kept as it was sent, for a reason that docs/privacy.md gives under the name that is given here.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provstore.core import ProvStore
from tests.goldens import FIXTURES
from tests.servers import event

Object = dict[str, Any]


@dataclass(slots=True)
class Canaries:
    """The canaries that were given out: where each was put, and for one that stays, why."""

    flock: str = "a"
    secrets: dict[str, str] = field(default_factory=dict)
    kept: dict[str, tuple[str, str]] = field(default_factory=dict)

    def _next(self) -> str:
        return f"canary{self.flock}{len(self.secrets) + len(self.kept):05}k7q9x2w4"

    def secret(self, where: str) -> str:
        made = self._next()
        self.secrets[made] = where
        return made

    def stays(self, why: str, where: str) -> str:
        made = self._next()
        self.kept[made] = (why, where)
        return made

    def leaked(self, held: bytes) -> list[str]:
        """Where the secrets were put that are in what is held."""
        return [where for canary, where in self.secrets.items() if canary.encode() in held]

    def lost(self, held: bytes) -> list[str]:
        """Where those were put that should be in what is held and are not."""
        return [where for canary, (_, where) in self.kept.items() if canary.encode() not in held]


# --- what somebody sends -------------------------------------------------------------------------------------------


def openlineage(c: Canaries) -> list[Object]:
    """A run as Spark, Airflow and dbt tell of it, and an event that says how a dataset came to be."""
    uri = f"jdbc:postgresql://db/risk?user=etl&password={c.secret('OpenLineage: JDBC URL in dataSource')}"
    signed = f"https://raw.blob.core.windows.net/raw/x.csv?sv=2024&sig={c.secret('OpenLineage: SAS in symlinks')}"
    sql = (
        f"CREATE SECRET s (TYPE s3, KEY_ID 'k', SECRET '{c.secret('OpenLineage: secret in SQL')}');"
        f" ALTER USER etl IDENTIFIED BY '{c.secret('OpenLineage: password of a user in SQL')}';"
        f" COPY t FROM 's3://b' CREDENTIALS 'aws_secret_access_key={c.secret('OpenLineage: credentials in SQL')}';"
        f" SELECT * FROM people WHERE email = '{c.stays('code', 'OpenLineage: literal in SQL')}'"
    )
    failed = (
        f"could not connect to postgresql://etl:{c.secret('OpenLineage: URL in an error message')}@db/risk;"
        f" Key (email)=({c.stays('errors', 'OpenLineage: value in an error message')}) exists"
    )
    trace = f"connect(password='{c.secret('OpenLineage: stack trace')}')"
    variables = [
        {"name": "DB_PASSWORD", "value": c.secret("OpenLineage: environment variable with a secret's name")},
        {"name": "DATABASE_URL", "value": f"mysql://u:{c.secret('OpenLineage: URL in an environment variable')}@db/x"},
        {"name": "CUSTOMER", "value": c.stays("environment", "OpenLineage: other environment variable")},
    ]
    parameters = [
        {"key": "db.password", "name": "Password", "value": c.secret("OpenLineage: execution parameter")},
        {"key": "customer", "name": "customer", "value": c.stays("parameters", "OpenLineage: execution parameter")},
    ]
    properties = {
        "spark.hadoop.fs.s3a.secret.key": c.secret("OpenLineage: spark_properties"),
        "spark.app.name": c.stays("parameters", "OpenLineage: spark_properties"),
    }
    conf = json.dumps({"smtp": {"password": c.secret("OpenLineage: Airflow's op_kwargs, as text")}})
    log = f"https://airflow/log?token={c.secret('OpenLineage: token in a URL of a custom facet')}"
    owner = f"{c.stays('people', 'OpenLineage: owner')}@bank.example"
    run = {
        "environmentVariables": {"environmentVariables": variables},
        "errorMessage": {"message": failed, "programmingLanguage": "PYTHON", "stackTrace": trace},
        "executionParameters": {"parameters": parameters},
        "spark_properties": {"properties": properties},
        "airflow": {"task": {"op_kwargs": conf}, "taskInstance": {"log_url": log}},
    }
    job = {
        "sql": {"query": sql},
        "ownership": {"owners": [{"name": owner, "type": "OWNER"}]},
        "sourceCode": {"language": "python", "sourceCode": f"login(token='{c.secret('OpenLineage: source code')}')"},
        "documentation": {"description": c.stays("descriptions", "OpenLineage: documentation")},
    }
    namespace = f"postgres://etl:{c.secret('OpenLineage: userinfo in a namespace')}@db:5432"
    facets = {
        "dataSource": {"name": "db", "uri": uri},
        "symlinks": {"identifiers": [{"namespace": "blob", "name": signed, "type": "TABLE"}]},
    }
    inputs = [{"namespace": namespace, "name": c.stays("names", "OpenLineage: dataset"), "facets": facets}]
    given = event(77)
    told = event(
        77,
        run={**given["run"], "facets": run},
        job={**given["job"], "facets": job},
        inputs=inputs,
        producer=f"https://ci:{c.secret('OpenLineage: userinfo in the producer')}@example.org/producer",
    )
    tags = {"tags": [{"key": "api_key", "value": c.secret("OpenLineage: tag"), "source": "x"}]}
    dataset = {"namespace": "tests", "name": "tagged", "facets": {"tags": tags}}
    described = {name: given[name] for name in ("eventTime", "producer")}
    return [told, {**described, "schemaURL": "https://openlineage.io/#/$defs/DatasetEvent", "dataset": dataset}]


def expectations(c: Canaries) -> list[Object]:
    """What Great Expectations says with `result_format` COMPLETE of a table in a database."""
    value: Object = json.loads((FIXTURES / "expectations" / "validation_result.json").read_text())
    row = {"email": c.secret("Great Expectations: unexpected_index_list"), "email_pk": 7}
    found = {
        "element_count": 5,
        "unexpected_count": 1,
        "unexpected_percent": 20.0,
        "partial_unexpected_list": [c.secret("Great Expectations: partial_unexpected_list")],
        "partial_unexpected_counts": [{"value": c.secret("Great Expectations: partial_unexpected_counts"), "count": 1}],
        "unexpected_list": [c.secret("Great Expectations: unexpected_list")],
        "unexpected_index_list": [row],
        "partial_unexpected_index_list": [row],
        "unexpected_index_query": f"SELECT * WHERE email = '{c.secret('Great Expectations: unexpected_index_query')}'",
    }
    distinct = {
        "observed_value": [c.secret("Great Expectations: distinct values")],
        "details": {"value_counts": [{"value": c.secret("Great Expectations: value_counts"), "count": 2}]},
    }
    least = {"observed_value": c.stays("errors", "Great Expectations: least value of a text column")}
    rows = {"details": {"unexpected_rows": [{"email": c.secret("Great Expectations: unexpected_rows")}]}}
    for result in (found, distinct, least, rows):
        config = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "email"}}
        value["results"].append({"success": False, "expectation_config": config, "result": result})
    failed = {"exception_message": c.stays("errors", "Great Expectations: exception"), "raised_exception": True}
    url = f"postgresql://gx:{c.secret('Great Expectations: URL in a traceback')}@db/risk"
    failed["exception_traceback"] = f"create_engine('{url}')"
    value["results"][-1]["exception_info"] = failed
    value["meta"]["batch_spec"] = {"path": f"s3://b/x.csv?X-Amz-Signature={c.secret('Great Expectations: path')}"}
    return [value]


def soda(c: Canaries) -> list[Object]:
    """What Soda says of a scan that also profiled columns."""
    value: Object = json.loads((FIXTURES / "soda" / "scan_result.json").read_text())
    profile = {
        "mins": [c.secret("Soda: least values of a profile")],
        "maxs": [c.secret("Soda: greatest values of a profile")],
        "frequentValues": [{"value": c.secret("Soda: frequent values"), "frequency": 2}],
        "avg": 1.5,
    }
    value["profiling"] = [{"table": "t", "columnProfiles": [{"columnName": "email", "profile": profile}]}]
    message = f"Key (email)=({c.stays('errors', 'Soda: log')}), password={c.secret('Soda: password in a log')}"
    value["logs"].append({"level": "error", "message": message, "index": 99})
    value["queries"][0]["exception"] = c.stays("errors", "Soda: exception")
    value["queries"][0]["sql"] = f"SELECT 1 WHERE name = '{c.stays('code', 'Soda: literal in SQL')}'"
    return [value]


def documents(c: Canaries) -> list[Object]:
    """Documents of data and of what was built: Croissant, D&TA, SLSA, CycloneDX, SPDX."""
    croissant: Object = json.loads((FIXTURES / "croissant" / "films.json").read_text())
    croissant["creator"] = {"@type": "Person", "name": "Ana", "email": c.stays("people", "Croissant: contact")}
    first = croissant["distribution"][0]
    first["contentUrl"] = f"https://b.s3.amazonaws.com/f.csv?X-Amz-Signature={c.secret('Croissant: signed contentUrl')}"
    dta: Object = json.loads((FIXTURES / "dta" / "metadata.json").read_text())
    dta["source"]["issuer"][0]["email"] = c.stays("people", "D&TA: contact")
    dta["source"]["location"] = f"https://me:{c.secret('D&TA: userinfo in the location')}@data.clinic.example/x.json"
    slsa: Object = json.loads((FIXTURES / "bom" / "statement.json").read_text())
    build = slsa["predicate"]["buildDefinition"]
    build["externalParameters"]["inputs"] = {
        "deploy_token": c.secret("SLSA: external parameter"),
        "customer": c.stays("parameters", "SLSA: external parameter"),
    }
    build["internalParameters"]["env"] = [{"name": "NPM_TOKEN", "value": c.secret("SLSA: internal parameter")}]
    build["resolvedDependencies"][1]["uri"] = f"https://b/t?Signature={c.secret('SLSA: signed URI')}&Expires=1"
    bom: Object = json.loads((FIXTURES / "bom" / "cyclonedx.json").read_text())
    bom["components"][0]["properties"] = [{"name": "registry:password", "value": c.secret("CycloneDX: property")}]
    bom["components"][0]["authors"] = [{"email": c.stays("people", "CycloneDX: author")}]
    reference = f"https://ci:{c.secret('CycloneDX: userinfo in a reference')}@git.example/x"
    bom["components"][0]["externalReferences"] = [{"type": "vcs", "url": reference}]
    spdx: Object = json.loads((FIXTURES / "bom" / "spdx.json").read_text())
    packages = [each for each in spdx["@graph"] if each["type"] == "ai_AIPackage"]
    packages[0]["ai_hyperparameter"] = [
        {"type": "DictionaryEntry", "key": "hub_token", "value": c.secret("SPDX: hyperparameter")}
    ]
    packages[0]["software_downloadLocation"] = f"https://b/m?sig={c.secret('SPDX: signed download location')}&se=1"
    packages[0]["comment"] = c.stays("descriptions", "SPDX: comment")
    return [croissant, dta, slsa, bom, spdx]


def own(c: Canaries) -> list[Object]:
    """Our own formats, from a program that does not use our client: nothing was redacted before."""
    step = {
        "provstore": "step/1",
        "id": "0195503c-1d80-4000-8000-000000000077",
        "name": "score",
        "namespace": "nightly",
        "end": "2026-03-01T03:10:00Z",
        "parameters": {"api_key": c.secret("step: parameter"), "x": c.stays("parameters", "step: parameter")},
        "used": [
            {"type": "table", "namespace": f"postgres://u:{c.secret('step: database URL')}@db", "name": "t"},
            {"type": "url", "namespace": "https://b", "name": f"/x?X-Goog-Signature={c.secret('step: signed URL')}"},
        ],
        "agents": [{"id": c.stays("people", "step: agent")}],
        "code": {"repository": f"https://ci:{c.secret('step: address of the repository')}@git.example/x"},
    }
    items: Object = {
        "provstore": "items/1",
        "namespace": "lab",
        "run": "0195503c-1d80-4000-8000-000000000078",
        "end": "2026-03-01T03:10:00Z",
        "technician": c.stays("people", "items: technician"),
        "columns": ["key", "value", "subject", "title"],
        "rows": [["77", c.stays("items", "items: value"), c.stays("items", "items: subject"), None]],
    }
    items["rows"].append(["78", 1, None, f"see https://me:{c.secret('items: userinfo in a title')}@lab.example"])
    run = {
        "info": {"run_id": "0" * 31 + "7", "experiment_id": "1", "status": "FINISHED", "start_time": 1_795_711_260_597},
        "data": {"params": [{"key": "db_password", "value": c.secret("mlflow payload: parameter")}], "tags": []},
    }
    mlflow = {"provstore": "mlflow/1", "kind": "run", "server": "http://mlflow.example", "run": run}
    return [step, items, mlflow]


PAYLOADS = (openlineage, expectations, soda, documents, own)


def prov(c: Canaries) -> str:
    """A PROV document with what people say in one, and no secret."""
    return (
        "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> ."
        f' <urn:canary> a prov:Entity ; rdfs:label "{c.stays("documents", "PROV: label")}" ;'
        f" prov:wasAttributedTo <mailto:{c.stays('documents', 'PROV: agent')}@bank.example> ."
    )


def refused(c: Canaries) -> list[tuple[str, str]]:
    """What cannot be kept without its secret, and so is not kept at all: (media type, text)."""
    head = (
        "@prefix prov: <http://www.w3.org/ns/prov#> . @prefix : <https://bank.example/terms#> . <urn:x> a prov:Entity"
    )
    slsa: Object = json.loads((FIXTURES / "bom" / "statement.json").read_text())
    slsa["predicate"]["buildDefinition"]["externalParameters"]["token"] = c.secret("DSSE: external parameter")
    held = base64.b64encode(json.dumps(slsa).encode()).decode()
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": held, "signatures": [{"sig": "AAAA"}]}
    c.secrets[held] = "DSSE: the envelope itself"
    xml = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="urn:x">'
        '<rdf:type rdf:resource="http://www.w3.org/ns/prov#Entity"/></rdf:Description></rdf:RDF>'
    )
    entity = {"@id": "urn:x", "@type": "http://www.w3.org/ns/prov#Entity"}
    return [
        ("text/turtle", f'{head} ; :db_password "{c.secret("PROV: value of a property")}" .'),
        ("text/turtle", f'{head} ; :note "mysql://u:{c.secret("PROV: URL in a text")}@db/x" .'),
        ("text/turtle", f"{head} ; :at <https://u:{c.secret('PROV: userinfo in an IRI')}@db/x> ."),
        ("text/turtle", f"# psql postgresql://u:{c.secret('PROV: comment')}@db\n{head} ."),
        ("application/rdf+xml", f"<!-- token={c.secret('PROV: comment in XML')} -->{xml}"),
        ("application/ld+json", json.dumps({**entity, "password": c.secret("PROV: member without a term")})),
        ("application/json", json.dumps(envelope)),
    ]


# --- what a store keeps --------------------------------------------------------------------------------------------


def everything(*places: Path) -> bytes:
    """Every byte below the places, and once more as it reads: rows of databases, members of archives, unpacked.

    Of a store that nobody has open also every statement.
    """
    held: list[bytes] = []
    for place in places:
        held.extend(each for path in _files(place) for each in _read(path))
        if (place / "ledger.db").exists():
            with closing(ProvStore(place)) as store:
                held.extend(line.encode() for line in store.views.store.dump())
    return b"\n".join(held)


def _files(place: Path) -> Iterator[Path]:
    yield from (path for path in (place.rglob("*") if place.is_dir() else [place]) if path.is_file())


def _read(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    if data.startswith(b"SQLite format 3\0"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            db.text_factory = bytes
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                named = table.decode().replace('"', '""')
                for row in db.execute(f'SELECT * FROM "{named}"'):
                    yield from (_unpacked(cell) for cell in row if isinstance(cell, bytes))
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _unpacked(cell: bytes) -> bytes:
    try:
        return zlib.decompress(cell)
    except zlib.error:
        return cell
