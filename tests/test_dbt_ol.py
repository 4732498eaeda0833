"""`dbt-ol`, unmodified, in an environment of its own, runs a project of our own and tells a running server of it.

What the tables here expect was worked out from the SQL in tests/emitters/dbt: the tables behind FROM and JOIN are what
a model reads; those behind the columns that it selects are what column lineage proves.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.emitting import assert_kept, copied, liberties, ran, shell, snippet
from tests.environments import PINS, programs
from tests.servers import Server, command, serving
from tests.stores import assert_sound, store_in

pytestmark = pytest.mark.slow

#: Model → the seeds that its SQL reads, through all layers.
READ = {
    "stg_applicants": {"applicants"},
    "stg_transactions": {"transactions"},
    "stg_bureau_scores": {"bureau_scores"},
    "int_bookings": {"transactions"},
    "int_spending": {"transactions"},
    "int_admitted": {"applicants", "blocked"},
    "customer_risk_score": {"applicants", "transactions", "bureau_scores", "blocked"},
}
#: Model → the seeds that its columns come from: who is blocked only decides which rows there are.
PROVEN = READ | {
    "int_admitted": {"applicants"},
    "customer_risk_score": {"applicants", "transactions", "bureau_scores"},
}
#: The same from structured logs, which hold no column lineage: a single input is certain, of several none is.
SINGLE = READ | {"int_admitted": set(), "customer_risk_score": set()}
#: What was tested, the test, its column, whether it passed.
TESTS = {
    ("main.stg_applicants", "unique", "applicant_id", True),
    ("main.stg_applicants", "not_null", "applicant_id", True),
    ("main.customer_risk_score", "not_null", "applicant_id", True),
    ("main.customer_risk_score", "relationships", "applicant_id", True),
    ("main.customer_risk_score", "accepted_values", "risk_band", False),  # one applicant's risk is high
    ("main.int_spending", "spent_is_not_negative", None, True),
    ("main_raw.applicants", "not_null", "applicant_id", True),
}
ORCHESTRATOR = "0195503c-1d80-7000-8000-0000000000aa"
_PREFIXES = """PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX ps: <https://w3id.org/provstore/ns#>
PREFIX dct: <http://purl.org/dc/terms/>
"""


@dataclass(slots=True)
class Told:
    """A server, what it was told and how, and what dbt-ol printed."""

    server: Server
    sent: list[bytes]
    logs: bool
    said: str

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.sent]

    def rows(self, query: str) -> list[dict[str, str]]:
        """Rows of all that was told; datasets by their names without the database's."""
        found = self.server.rows(_PREFIXES + query, min_index=len(self.sent))
        return [{key: value.removeprefix("credit.") for key, value in row.items()} for row in found]

    def seeds(self, path: str) -> dict[str, list[set[str]]]:
        """Model → for each of its writes, the seeds of which a path reaches a state."""
        writes = self.rows("""SELECT ?write ?name {
            ?write a ps:WriteState ; prov:specializationOf ?d . ?d a ps:Dataset ; ps:name ?name }""")
        found: dict[str, set[str]] = {row["write"]: set() for row in writes}
        for row in self.rows(f"""SELECT DISTINCT ?write ?name {{
            ?write a ps:WriteState ; {path} ?state . ?state prov:specializationOf ?d . ?d ps:name ?name }}"""):
            schema, name = row["name"].split(".")
            found[row["write"]] |= {name} if schema == "main_raw" else set()
        out: dict[str, list[set[str]]] = {}
        for row in writes:
            schema, name = row["name"].split(".")
            if schema != "main_raw":
                out.setdefault(name, []).append(found[row["write"]])
        return out


def _tell(home: Path, logs: bool) -> Iterator[Told]:
    """Seeds, all models, all tests (one fails), all models again, a model that fails."""
    programs("pipeline")
    project, copy = home / "credit", home / "events.jsonl"
    shutil.copytree(PINS / "dbt", project)
    option = ["--consume-structured-logs"] if logs else []
    with serving(home / "data") as server:
        settings = {"CREDIT_DATABASE": str(home / "credit.duckdb"), "DBT_PROFILES_DIR": ".", **copied(server, copy)}
        if logs:
            settings["OPENLINEAGE_PARENT_ID"] = f"airflow/nightly.score/{ORCHESTRATOR}"
        else:
            ran("pipeline", project, settings, "dbt", "seed")
        documented = snippet("dbt", "dbt-ol seed" if logs else "dbt-ol run\n")
        broken = ("--select", "income_by_name", "--vars", "broken: true")
        said = [  # the code of the first is that of its last command, the tests
            ran("pipeline", project, settings, *shell(documented, server), code=1).stdout,
            ran("pipeline", project, settings, "dbt-ol", "run", *option).stdout,
            ran("pipeline", project, settings, "dbt-ol", "run", *option, *broken, code=1).stdout,
        ]
        yield Told(server, copy.read_bytes().splitlines(), logs, "".join(said))


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Told when dbt had ended, from the files that it leaves."""
    yield from _tell(tmp_path_factory.mktemp("artifacts"), logs=False)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Told while dbt ran, from its structured logs."""
    yield from _tell(tmp_path_factory.mktemp("logs"), logs=True)


@pytest.fixture(params=["artifacts", "logs"])
def told(request: pytest.FixtureRequest) -> Told:
    found: Told = request.getfixturevalue(request.param)
    return found


# --- nothing is lost ------------------------------------------------------------------------------------------------


def test_every_event_is_in_the_ledger_once_and_as_it_was_sent(told: Told) -> None:
    assert sum(map(int, re.findall(r"Emitted (\d+) OpenLineage events", told.said))) == len(told.sent)
    assert "failed to emit" not in told.said
    assert_kept(told.server, told.sent)


def test_the_ledger_and_the_store_are_whole(told: Told, tmp_path: Path) -> None:
    done = command("verify", "--data", told.server.directory)
    assert done.returncode == 0, done.stderr
    done = command("backup", "--data", told.server.directory, tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    done = command("restore", "--data", tmp_path / "restored", tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    with store_in(tmp_path / "restored") as store:
        assert_sound(store)


def test_what_had_to_be_overlooked_is_what_tests_do_not_write(told: Told) -> None:
    found = liberties(told.sent)
    tests = {event["job"]["name"] for event in told.events() if event["job"]["name"].startswith("test.")}
    tests = {name for name in tests if ".sql." not in name}
    assert {job for job, _ in found} == (tests if told.logs else set())
    assert {each.pointer for _, each in found} <= {"/outputs/0"}


# --- what came from what --------------------------------------------------------------------------------------------


def test_the_plain_path_reaches_every_seed_that_was_read(told: Told) -> None:
    assert told.seeds("(prov:wasGeneratedBy/prov:used)+") == {name: [seeds] * 2 for name, seeds in READ.items()}


def test_derivation_reaches_the_seeds_that_are_proven_and_no_others(told: Told) -> None:
    proven = SINGLE if told.logs else PROVEN
    assert told.seeds("prov:wasDerivedFrom+") == {name: [seeds] * 2 for name, seeds in proven.items()}


def test_possible_derivation_reaches_the_rest(told: Told) -> None:
    path = "(prov:wasDerivedFrom|ps:possiblyDerivedFrom)+"
    assert told.seeds(path) == {name: [seeds] * 2 for name, seeds in READ.items()}


def test_where_seeds_come_from_is_known_only_if_their_loading_was_told(told: Told) -> None:
    unresolved = {
        row["name"]
        for row in told.rows("SELECT ?name { ?s a ps:UnresolvedRead ; prov:specializationOf/ps:name ?name }")
    }
    seeds = {f"main_raw.{name}" for name in READ["customer_risk_score"]}
    assert unresolved == (set() if told.logs else seeds)


def test_a_model_that_failed_has_generated_nothing(told: Told) -> None:
    (row,) = told.rows("""SELECT ?run ?state { ?d ps:name "credit.main.income_by_name" .
        ?run ps:intendedOutput ?d ; ps:state ?state }""")
    assert row["state"].endswith("#FAIL")
    assert told.rows(f"SELECT ?e {{ ?e prov:wasGeneratedBy <{row['run']}> }}") == []
    assert told.rows("""SELECT ?s { ?s prov:specializationOf ?d . ?d ps:name "credit.main.income_by_name" }""") == []


def test_what_a_second_run_kept_and_what_it_replaced(told: Told) -> None:
    rows = told.rows("""SELECT ?name ?mode ?certain ?possible { ?new ps:previousState ?old ; ps:writeMode ?mode ;
        prov:specializationOf ?d . ?d a ps:Dataset ; ps:name ?name .
        BIND(EXISTS { ?new prov:wasDerivedFrom ?old } AS ?certain)
        BIND(EXISTS { ?new ps:possiblyDerivedFrom ?old } AS ?possible) }""")
    found = {
        row["name"].removeprefix("main."): (row["mode"].rpartition("#")[2], row["certain"], row["possible"])
        for row in rows
    }
    replaced = dict.fromkeys(READ, ("Overwrite", "false", "false"))
    assert found == replaced | {"int_bookings": ("Append", "true", "false")}
    assert len(rows) == len(READ)


# --- who ran what ---------------------------------------------------------------------------------------------------


def test_every_run_starts_once_and_ends_once(told: Told) -> None:
    runs = {event["run"]["runId"] for event in told.events()}
    rows = told.rows("SELECT ?run ?start ?end { ?run prov:startedAtTime ?start ; prov:endedAtTime ?end }")
    assert Counter(row["run"] for row in rows) == Counter(f"urn:uuid:{run}" for run in runs)
    backwards = "?run prov:startedAtTime ?start ; prov:endedAtTime ?end FILTER(?start > ?end)"
    assert told.rows(f"SELECT ?run {{ {backwards} }}") == []


def test_a_command_is_the_parent_of_what_it_ran(told: Told) -> None:
    rows = told.rows("""SELECT ?run ?start ?state (COUNT(?part) AS ?parts) { ?run ps:job/ps:name "dbt-run-credit" ;
        prov:startedAtTime ?start ; ps:state ?state . ?part dct:isPartOf ?run ;
        prov:qualifiedStart/prov:hadActivity ?run } GROUP BY ?run ?start ?state ORDER BY ?start""")
    counted = [(int(row["parts"]), row["state"].rpartition("#")[2]) for row in rows]
    models, broken = (len(READ), "COMPLETE"), (1, "FAIL")
    if told.logs:
        assert counted == [(4, "COMPLETE"), models, (len(TESTS), "FAIL"), models, broken]
    else:  # a run for each dataset that was tested, and one for the test that is a query of its own
        assert counted == [models, (len({name for name, *_ in TESTS}) + 1, "FAIL"), models, broken]
    assert told.rows("SELECT ?a { ?a prov:wasInformedBy ?b }") == []


def test_statements_are_parts_of_models_and_commands_of_the_orchestrators_task(logs: Told) -> None:
    rows = logs.rows("""SELECT ?kind ?above { ?run dct:isPartOf/ps:job/ps:name ?above ; ps:job/ps:name ?name
        BIND(IF(CONTAINS(?name, ".sql."), "statement", ?name) AS ?kind) }""")
    assert {row["above"].partition(".")[0] for row in rows if row["kind"] == "statement"} == {"seed", "model", "test"}
    assert {row["above"] for row in rows if row["kind"] == "dbt-run-credit"} == {"nightly.score"}
    commands = logs.rows(f"SELECT ?run {{ ?run dct:isPartOf <urn:uuid:{ORCHESTRATOR}> }}")
    assert len(commands) == 5


# --- what was found out ---------------------------------------------------------------------------------------------


def test_results_of_tests_are_recorded(told: Told) -> None:
    rows = told.rows("""SELECT DISTINCT ?name ?json { ?a a ps:FacetAssertion ; ps:key "dataQualityAssertions" ;
        ps:on ?read ; ps:content/ps:json ?json . ?read a ps:ReadState ; prov:specializationOf ?d .
        ?d a ps:Dataset ; ps:name ?name }""")
    found = {
        (row["name"], each["assertion"], each.get("column"), each["success"])
        for row in rows
        for each in json.loads(row["json"])["assertions"]
    }
    # From artifacts dbt-ol gives a test of two models to the other one, that which its column must be found in.
    other = {("main.stg_applicants" if test == "relationships" else name, test, *rest) for name, test, *rest in TESTS}
    assert found == (TESTS if told.logs else other)


def test_who_owns_a_model_what_it_means_and_what_uses_it_are_recorded(told: Told) -> None:
    (row,) = told.rows("""SELECT DISTINCT ?about ?owner ?json { ?write a ps:WriteState ; dct:description ?about ;
        prov:specializationOf ?d . ?d a ps:Dataset ; ps:name "credit.main.customer_risk_score" .
        ?a ps:on ?write ; ps:key "dbt_exposures" ; ps:content/ps:json ?json .
        ?b ps:on ?write ; ps:key "ownership" ; ps:content/ps:owner/prov:agent ?owner }""")
    assert row["about"].startswith("how risky a loan")
    assert row["owner"].endswith("/agent/organization/risk")
    assert [each["name"] for each in json.loads(row["json"])["exposures"]] == ["loan_approval"]
