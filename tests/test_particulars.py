"""What people ask of facets, as short SPARQL over posted events: how good, how much, by what, whose, where."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from provstore.core import ProvStore
from tests import schemas, stores
from tests.histories import at, data, dataset, of_dataset, read, run_id, run_iri, said, withdrawing, write
from tests.schemas import Object
from tests.stores import BASE, assert_sound, store_in, timeless
from tests.suites import ROOT
from tests.telling import feed

PREFIXES = """
PREFIX dcat: <http://www.w3.org/ns/dcat#>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX pplan: <http://purl.org/net/p-plan#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX ps: <https://w3id.org/provstore/ns#>
PREFIX schema: <https://schema.org/>
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProvStore]:
    with store_in(tmp_path / "store") as opened:
        yield opened
        assert_sound(opened)


def ask(store: ProvStore, pattern: str, *, select: str = "") -> list[tuple[str, ...]]:
    """The sorted solutions of a pattern over the default graph, IRIs without the base.

    Without `select`, all variables of the pattern in order of appearance.
    """
    select = select or f"SELECT DISTINCT {' '.join(dict.fromkeys(re.findall(r'[?][a-zA-Z]+', pattern)))}"
    return solved(store, f"{PREFIXES} {select} WHERE {{ {pattern} }}")


def solved(store: ProvStore, query: str) -> list[tuple[str, ...]]:
    engine = ox.Store()
    engine.load("".join(store.views.store.dump()).encode(), format=ox.RdfFormat.N_QUADS)
    found = engine.query(query)
    assert isinstance(found, ox.QuerySolutions)
    return sorted(tuple(_short(cell) for cell in row) for row in found)


def _short(term: Any) -> str:
    if term is None:
        return "—"
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value.replace(f"{BASE}/", "")


def short(iri: str) -> str:
    return iri.replace(f"{BASE}/", "")


def inputs(name: str, facets: Object | None = None, **own: Object) -> Object:
    return {**data(name, **(facets or {})), "inputFacets": own}


def outputs(name: str, facets: Object | None = None, **own: Object) -> Object:
    return {**data(name, **(facets or {})), "outputFacets": own}


def metrics(rows: int, **columns: Object) -> Object:
    return {"dataQualityMetrics": {"rowCount": rows, "columnMetrics": columns}}


# --- how good --------------------------------------------------------------------------------------------------------


def test_which_states_failed_a_quality_test(store: ProvStore) -> None:
    good = {"assertion": "not_null", "column": "id", "success": True}
    bad = {"assertion": "unique", "column": "id", "success": False, "severity": "error", "actual": "3"}
    feed(
        store,
        said("r", "COMPLETE", 1, [], [outputs("a", {"dataQualityAssertions": {"assertions": [good, bad]}})]),
        said("s", "COMPLETE", 3, [inputs("a", dataQualityAssertions={"assertions": [bad]})]),
        said("t", "COMPLETE", 4, [inputs("a", dataQualityAssertions={"assertions": [good]})]),
    )
    rows = ask(
        store,
        """?test earl:subject ?state ; ps:column ?column ; earl:test/schema:additionalType ?kind ;
                 earl:result [ earl:outcome earl:failed ; ps:actual ?actual ]""",
        select="SELECT DISTINCT ?state ?column ?kind ?actual",
    )
    assert rows == sorted([(short(write("a", "r")), "id", "unique", "3"), (short(read("a", "s")), "id", "unique", "3")])


def test_which_written_states_rest_on_a_failed_test(store: ProvStore) -> None:
    bad = {"assertion": "unique", "success": False}
    feed(
        store,
        said("r", "COMPLETE", 1, [], ["a"]),
        said("t", "COMPLETE", 3, [inputs("a", dataQualityAssertions={"assertions": [bad]})]),
    )
    pattern = "?test earl:result/earl:outcome earl:failed ; earl:subject/prov:wasDerivedFrom ?written"
    assert ask(store, pattern, select="SELECT ?written") == [(short(write("a", "r")),)]


def test_which_tests_of_a_run_failed_or_were_not_made(store: ProvStore) -> None:
    tests = [{"name": f"t-{status}", "status": status} for status in ("pass", "fail", "skip", "odd")]
    (submission,) = feed(store, said("r", "COMPLETE", 1, run_facets={"test": {"tests": tests}}))
    assert [each.message for each in submission.mapped.liberties if "status" in each.message]
    rows = ask(
        store,
        f"?a earl:subject <{run_iri('r')}> ; earl:test/dct:title ?name ; earl:result/earl:outcome ?outcome",
        select="SELECT ?name ?outcome",
    )
    earl = "http://www.w3.org/ns/earl#"
    assert rows == [
        ("t-fail", f"{earl}failed"),
        ("t-odd", f"{earl}cantTell"),
        ("t-pass", f"{earl}passed"),
        ("t-skip", f"{earl}untested"),
    ]


def test_the_null_rate_of_a_column_over_time(store: ProvStore) -> None:
    for second, (run, nulls) in enumerate((("r", 10), ("s", 20), ("t", 10))):
        feed(store, said(run, "COMPLETE", second, [], [outputs("a", metrics(100, age={"nullCount": nulls}))]))
    rows = ask(
        store,
        f"""?state prov:specializationOf <{dataset("a")}> ; prov:generatedAtTime ?time .
            ?m dqv:computedOn ?state ; dqv:isMeasurementOf ps:NullCount ; ps:column "age" ; dqv:value ?nulls .
            ?n dqv:computedOn ?state ; dqv:isMeasurementOf ps:RowCount ; dqv:value ?rows""",
        select="SELECT ?time (?nulls / ?rows AS ?rate)",
    )
    assert rows == [(at(0), "0.1"), (at(1), "0.2"), (at(2), "0.1")]


def test_quality_of_a_dataset_is_what_was_said_last(store: ProvStore) -> None:
    late, early = of_dataset("a", 9, **metrics(7)), of_dataset("a", 2, **metrics(5))
    feed(store, late, early)
    rows = ask(store, f"?m dqv:computedOn <{dataset('a')}> ; dqv:value ?value", select="SELECT ?value")
    assert rows == [("7",)]
    history = "?fact ps:on ?what ; ps:content/dct:hasPart ?m . ?m dqv:isMeasurementOf ps:RowCount ; dqv:value ?value"
    assert ask(store, history, select="SELECT ?value") == [("5",), ("7",)]


def test_a_corrected_record_takes_its_measurements_along(store: ProvStore) -> None:
    (wrong,) = feed(store, said("r", "COMPLETE", 1, [], [outputs("a", metrics(100))]))
    feed(store, said("r", "COMPLETE", 1, [], [outputs("a", metrics(101))]), withdrawing(wrong))
    assert ask(store, "?m dqv:computedOn ?state ; dqv:value ?value", select="SELECT ?value") == [("101",)]


# --- how much, and which part ----------------------------------------------------------------------------------------


def test_the_row_count_of_a_read_and_of_a_write(store: ProvStore) -> None:
    counted = [inputs("a", inputStatistics={"rowCount": 10, "size": 99})]
    feed(store, said("r", "COMPLETE", 1, counted, [outputs("b", outputStatistics={"rowCount": 8})]))
    written = ask(store, "?state prov:qualifiedGeneration/ps:rowCount ?rows")
    assert written == [(short(write("b", "r")), "8")]
    seen = ask(
        store,
        "?run prov:qualifiedUsage [ prov:entity ?state ; ps:rowCount ?rows ; ps:byteSize ?bytes ]",
        select="SELECT ?run ?state ?rows ?bytes",
    )
    assert seen == [(run_iri("r"), short(read("a", "r")), "10", "99")]


def test_which_part_was_read(store: ProvStore) -> None:
    day = {"identifier": "p1", "dimensions": {"day": "2026-03-08", "hour": 3}}
    whole = {"dimensions": {"late": True}}
    feed(
        store,
        said(
            "r",
            "COMPLETE",
            1,
            [inputs("a", subset={"inputCondition": {"type": "partition", "partitions": [day, whole]}})],
            [outputs("b", subset={"outputCondition": {"type": "location", "locations": ["s3://b/x", "no url"]}})],
        ),
    )
    usage = ask(
        store,
        """?run prov:qualifiedUsage [ ps:filter ?filter ; ps:partition [ dct:identifier ?name ;
             schema:additionalProperty [ schema:propertyID "hour" ; schema:value ?hour ] ] ]""",
        select="SELECT ?filter ?name ?hour",
    )
    assert usage == [("(day = '2026-03-08' AND hour = 3 OR late = true)", "p1", "3")]
    assert ask(store, "?state prov:qualifiedGeneration/dcat:downloadURL ?where", select="SELECT ?where") == [
        ("no url",),
        ("s3://b/x",),
    ]


def test_a_condition_reads_as_an_expression(store: ProvStore) -> None:
    def compare(column: str, comparison: str, value: str) -> Object:
        field, literal = {"type": "field", "field": column}, {"type": "literal", "value": value}
        return {"type": "compare", "left": field, "right": literal, "comparison": comparison}

    both = {
        "type": "binary",
        "operator": "AND",
        "left": compare("a", "EQUAL", "O'x"),
        "right": compare("b", "LESS", "9"),
    }
    feed(store, said("r", "COMPLETE", 1, [inputs("t", subset={"inputCondition": both})]))
    assert ask(store, "?u a prov:Usage ; ps:filter ?f", select="SELECT ?f") == [("(a EQUAL 'O''x' AND b LESS '9')",)]
    assert ask(store, "?content ps:filter ?f ; ps:column ?c", select="SELECT ?c") == [("a",), ("b",)]


def test_which_snapshot_of_a_table_was_read_and_which_written(store: ProvStore) -> None:
    big = 9_007_199_254_740_993  # no double has this value
    scan = {"snapshotId": big, "filterDescription": "day > 3", "scanMetrics": {"resultDataFiles": 4}}
    commit = {"snapshotId": big + 1, "operation": "append", "commitMetrics": {"addedRecords": 10}}
    feed(
        store,
        said("r", "START", 1, [inputs("a", icebergScanReport=scan)], [outputs("b", icebergCommitReport=commit)]),
    )
    assert ask(store, "?state dcat:version ?snapshot . FILTER(!CONTAINS(STR(?state), 'ni:'))") == sorted(
        [(short(read("a", "r")), str(big)), (short(write("b", "r")), str(big + 1))]
    )
    assert ask(store, "?u a prov:Usage ; ps:filter ?f", select="SELECT ?f") == [("day > 3",)]
    assert ask(store, "?g a prov:Generation ; ps:operation ?o", select="SELECT ?o") == [("append",)]
    added = """?fact ps:on ?generation ; ps:content/schema:additionalProperty
               [ schema:propertyID "addedRecords" ; schema:value ?n ]"""
    assert ask(store, added, select="SELECT ?n") == [("10",)]


# --- by what, with what, after what ----------------------------------------------------------------------------------


def test_which_engine_version_ran_this(store: ProvStore) -> None:
    engine = {"name": "spark", "version": "3.5.1", "openlineageAdapterVersion": "1.19.0"}
    sql = {"sql": {"query": "SELECT 1"}}
    feed(store, said("r", "START", 1, run_facets={"processing_engine": engine}, job_facets=sql))
    rows = ask(
        store,
        f"<{run_iri('r')}> prov:wasAssociatedWith [ schema:name ?name ; schema:softwareVersion ?version ]",
        select="SELECT ?name ?version",
    )
    assert rows == [("spark", "3.5.1")]
    plan = ask(store, "?run prov:qualifiedAssociation/prov:hadPlan/ps:content/ps:sql ?sql", select="SELECT ?sql")
    assert plan == [("SELECT 1",)]
    adapter = ask(store, f"?f ps:on <{run_iri('r')}> ; ps:content/ps:adapterVersion ?v", select="SELECT ?v")
    assert adapter == [("1.19.0",)]


def test_an_engine_without_a_name_is_no_agent(store: ProvStore) -> None:
    feed(store, said("r", "START", 1, run_facets={"processing_engine": {"version": "3.5.1"}}))
    assert ask(store, "?run prov:wasAssociatedWith ?agent") == []
    assert ask(store, "?f ps:content/schema:softwareVersion ?v", select="SELECT ?v") == [("3.5.1",)]


def test_the_parameters_and_the_environment_of_a_run(store: ProvStore) -> None:
    parameters = {
        "parameters": [{"key": "lr", "name": "learning rate", "value": "0.01"}, {"key": "epochs", "value": 3}]
    }
    variables = {"environmentVariables": [{"name": "TZ", "value": "UTC"}]}
    facets = {"executionParameters": parameters, "environmentVariables": variables}
    feed(store, said("r", "START", 1, run_facets=facets))
    rows = ask(store, "?run ps:parameter [ ps:key ?key ; ps:value ?value ]", select="SELECT ?run ?key ?value")
    assert rows == [(run_iri("r"), "epochs", "3"), (run_iri("r"), "lr", "0.01")]
    pattern = """?f ps:on ?run ; ps:content/ps:environmentVariable
                 [ schema:propertyID "TZ" ; schema:value ?value ]"""
    assert ask(store, pattern, select="SELECT ?run ?value") == [(run_iri("r"), "UTC")]


def test_which_run_an_external_query_was(store: ProvStore) -> None:
    facet = {"externalQuery": {"externalQueryId": "bigquery_1", "source": "bigquery"}}
    feed(store, said("r", "START", 1, run_facets=facet), said("s", "START", 1))
    assert ask(store, '?run a prov:Activity ; dct:identifier "bigquery_1"') == [(run_iri("r"),)]


def test_which_lineage_is_known_to_be_incomplete(store: ProvStore) -> None:
    error = {"errorMessage": "no parser", "task": "DROP POLICY", "taskNumber": 0}
    bad = {"extractionError": {"totalTasks": 2, "failedTasks": 1, "errors": [error]}}
    good = {"extractionError": {"totalTasks": 2, "failedTasks": 0, "errors": []}}
    feed(store, said("r", "COMPLETE", 1, run_facets=bad), said("s", "COMPLETE", 1, run_facets=good))
    rows = ask(store, "?run a ps:Run ; ps:failedTasks ?n . FILTER(?n > 0)")
    assert rows == [(run_iri("r"), "1")]
    why = "?f ps:on ?run ; ps:content/dct:hasPart [ ps:task ?task ; ps:message ?message ]"
    assert ask(store, why, select="SELECT ?task ?message") == [("DROP POLICY", "no parser")]


def test_what_a_run_waited_for(store: ProvStore) -> None:
    before = {
        "job": {"namespace": "jobs", "name": "up"},
        "run": {"runId": run_id("u")},
        "dependency_type": "DIRECT_INVOCATION",
    }
    after = {"job": {"namespace": "jobs", "name": "down"}, "run": {"runId": run_id("v")}}
    facet = {"jobDependencies": {"upstream": [before], "downstream": [after], "trigger_rule": "ALL_SUCCESS"}}
    feed(store, said("r", "START", 1, run_facets=facet))
    rows = ask(
        store,
        """?run prov:wasInformedBy ?other ;
                prov:qualifiedCommunication [ prov:activity ?other ; ps:dependencyType ?how ]""",
        select="SELECT ?run ?other ?how",
    )
    assert rows == [(run_iri("r"), run_iri("u"), "DIRECT_INVOCATION")]
    jobs = ask(store, "?job pplan:isPrecededBy ?before")
    assert jobs == [("job/jobs/down", "job/jobs/etl"), ("job/jobs/etl", "job/jobs/up")]
    assert ask(store, "?x prov:used ?y") == []


def test_explicit_lineage_from_another_job(store: ProvStore) -> None:
    source = {"type": "JOB", "namespace": "jobs", "name": "export", "runId": run_id("u")}
    entries = [
        {"type": "JOB", "inputs": [source]},
        {"type": "JOB", "namespace": "jobs", "name": "other", "inputs": [{**source, "runId": run_id("v")}]},
    ]
    feed(store, said("r", "COMPLETE", 1, job_facets={"lineage": {"entries": entries}}))
    assert ask(store, "?run prov:wasInformedBy ?other") == [(run_iri("r"), run_iri("u"))]


# --- whose, what, where ----------------------------------------------------------------------------------------------


def test_who_owns_what_was_read_and_written(store: ProvStore) -> None:
    owned: Object = {"ownership": {"owners": [{"name": "team:risk", "type": "MAINTAINER"}]}}
    other: Object = {"ownership": {"owners": [{"name": "user:ana"}]}}
    feed(store, said("r", "COMPLETE", 1, [data("a", **owned)], [data("b", **other)]), of_dataset("c", 1, **owned))
    rows = ask(
        store,
        "?what prov:wasAttributedTo ?owner ; prov:specializationOf? ?dataset . ?dataset a ps:Dataset",
        select="SELECT DISTINCT ?what ?owner",
    )
    assert rows == sorted(
        [
            (short(read("a", "r")), "agent/organization/risk"),
            (short(write("b", "r")), "agent/person/ana"),
            (short(dataset("c")), "agent/organization/risk"),
        ]
    )


def test_which_data_are_tagged(store: ProvStore) -> None:
    tags = [
        {"key": "pii", "value": "true", "source": "DBT"},
        {"key": "gold", "value": "false"},
        {"key": "domain", "value": "risk"},
        {"key": "pii", "value": "true", "field": "email"},
        {"key": "masked", "value": "yes", "field": "email"},
    ]
    facets: Object = {"tags": {"tags": tags}, "datasetType": {"datasetType": "VIEW", "subType": "MATERIALIZED"}}
    feed(store, of_dataset("a", 1, **facets), said("r", "COMPLETE", 2, [data("a", **facets)]))
    me = f"<{dataset('a')}>"
    assert ask(store, '?what dcat:keyword "pii" . FILTER(!STRSTARTS(STR(?what), "ni:"))') == sorted(
        [(short(dataset("a")),), (short(read("a", "r")),)]
    )
    assert ask(store, f"{me} dcat:keyword ?word") == [("domain",), ("pii",), ("risk",)]
    columns = f'{me} schema:additionalProperty [ schema:propertyID "masked" ; schema:value "yes" ; ps:column ?column ]'
    assert ask(store, columns, select="SELECT ?column") == [("email",)]
    assert ask(store, f"{me} ps:datasetType ?kind") == [("VIEW",)]
    feed(store, of_dataset("a", 3, tags={"_deleted": True}))
    assert ask(store, f"{me} dcat:keyword ?word") == []


def test_where_data_lie(store: ProvStore) -> None:
    facets: Object = {
        "dataSource": {"name": "warehouse", "uri": "postgres://db:5432"},
        "catalog": {"framework": "iceberg", "type": "rest", "name": "prod", "warehouseUri": "s3://wh"},
        "storage": {"storageLayer": "iceberg", "fileFormat": "parquet"},
        "hierarchy": {"hierarchy": [{"type": "DATABASE", "name": "d"}, {"type": "SCHEMA", "name": "s"}]},
    }
    feed(store, of_dataset("a", 1, **facets))
    of = f"?fact ps:on <{dataset('a')}> ; ps:content ?c . ?c"
    assert ask(
        store, f"{of} a <http://www.w3.org/ns/dcat#DataService> ; dcat:endpointURL ?url", select="SELECT ?url"
    ) == [("postgres://db:5432",)]
    assert ask(store, f"{of} a dcat:Catalog ; dct:title ?n ; ps:warehouse ?w", select="SELECT ?n ?w") == [
        ("prod", "s3://wh")
    ]
    assert ask(store, f"{of} ps:storageLayer ?l ; schema:encodingFormat ?f", select="SELECT ?l ?f") == [
        ("iceberg", "parquet")
    ]
    levels = f"{of} dct:hasPart ?low . ?low dct:title ?name ; dct:isPartOf/dct:title ?above"
    assert ask(store, levels, select="SELECT ?name ?above") == [("s", "d")]


def test_who_made_a_facet_and_by_which_schema(store: ProvStore) -> None:
    facet = {"description": "x", "_producer": "https://example.org/p", "_schemaURL": "https://example.org/s.json"}
    feed(store, of_dataset("a", 1, documentation=facet))
    rows = ask(
        store, "?c a ps:Content ; prov:wasAttributedTo ?by ; dct:conformsTo ?schema", select="SELECT ?by ?schema"
    )
    assert rows == [("agent/software/https%3A%2F%2Fexample.org%2Fp", "https://example.org/s.json")]


# --- in any order ----------------------------------------------------------------------------------------------------


def child(second: float, *, description: str) -> Object:
    """An event of a run that says things of its parent."""
    event = said("s", "START", second)
    event["run"]["facets"]["parent"] = {
        "run": {
            "runId": run_id("r"),
            "facets": {
                "processing_engine": {"name": "airflow", "version": "2.9"},
                "nominalTime": {"nominalStartTime": at(0)},
            },
        },
        "job": {"namespace": "jobs", "name": "dag", "facets": {"documentation": {"description": description}}},
    }
    return event


def test_what_a_child_says_of_its_parent_counts(store: ProvStore) -> None:
    feed(store, said("r", "START", 1, job="dag"), child(2, description="a dag"))
    parent = f"<{run_iri('r')}>"
    assert ask(store, f"{parent} prov:wasAssociatedWith/schema:softwareVersion ?v") == [("2.9",)]
    assert ask(store, f"{parent} ps:nominalStart ?time") == [(at(0),)]
    assert ask(store, "?job dct:description ?text . ?job a ps:Job") == [("job/jobs/dag", "a dag")]


def test_lineage_that_a_child_forwards_is_its_parents(store: ProvStore) -> None:
    event = said("s", "COMPLETE", 2, ["a"], ["b"], parent="r")
    source = {"type": "DATASET", "namespace": "db", "name": "c"}
    entry = {"type": "DATASET", "namespace": "db", "name": "b", "inputs": [source]}
    event["run"]["facets"]["parent"]["job"]["facets"] = {"lineage": {"entries": [entry]}}
    feed(store, event)
    assert ask(store, f"<{write('b', 's')}> prov:wasDerivedFrom ?from") == [(short(read("a", "s")),)]


def test_any_order_makes_the_same_graph(tmp_path: Path) -> None:
    bad = {"assertions": [{"assertion": "unique", "success": False}]}
    engine = {"processing_engine": {"name": "spark", "version": "3"}}
    history = [
        said("r", "START", 1, [inputs("a", inputStatistics={"rowCount": 1})], run_facets=engine, job="dag"),
        said("r", "COMPLETE", 5, [inputs("a", inputStatistics={"rowCount": 2})], ["b"], job="dag"),
        said("r", "RUNNING", 3, [inputs("a", dataQualityAssertions=bad)], [outputs("b", metrics(3))], job="dag"),
        child(2, description="early"),
        child(6, description="late"),
        of_dataset("a", 1, **metrics(1), tags={"tags": [{"key": "k", "value": "v"}]}),
        of_dataset("a", 2, **metrics(2), tags={"_deleted": True}),
        said("t", "COMPLETE", 4, ["b"], run_facets={"tags": {"tags": [{"key": "k", "value": "v"}]}}),
    ]
    found = []
    for number, seed in enumerate((None, 1, 2, 3, 4)):
        events = list(history)
        if seed is not None:
            random.Random(seed).shuffle(events)
        with store_in(tmp_path / str(number)) as store:
            for first in range(0, len(events), 1 + number):
                store.ingest([stores.event(each) for each in events[first : first + 1 + number]])
            assert_sound(store)
            found.append(timeless(store.views.store.dump()))
    assert all(each == found[0] for each in found)


def test_no_facet_however_malformed_harms_the_store(store: ProvStore) -> None:
    for schema in schemas.schemas():
        for second, facet in enumerate(schemas.garbled(schema, 53)):
            facets = {schema.key: facet}
            event = said("r", "COMPLETE", second, [inputs("a", facets, **facets)], [outputs("b", facets, **facets)])
            event["run"]["facets"] = facets
            event["job"]["facets"] = facets
            store.append([stores.event(event), stores.event(of_dataset("c", second, **facets))])
    store.catch_up()
    assert store.views.applied == store.ledger.head


def test_the_questions_of_the_documentation_have_answers(store: ProvStore) -> None:
    engine = {"processing_engine": {"name": "spark", "version": "3"}}
    bad = {"dataQualityAssertions": {"assertions": [{"assertion": "unique", "success": False}]}}
    owned = {"ownership": {"owners": [{"name": "user:ana"}]}}
    written = outputs("a", {**metrics(4, age={"nullCount": 1}), **bad, **owned}, outputStatistics={"rowCount": 4})
    read_too = [inputs("b", inputStatistics={"rowCount": 5})]
    feed(store, said("r", "COMPLETE", 1, read_too, [written], run_facets=engine))
    text = (ROOT / "docs" / "facets.md").read_text(encoding="utf-8")
    prefixes, *questions = re.findall(r"```sparql\n(.*?)```", text, re.DOTALL)
    asked = [each.replace("DATASET", dataset("a")).replace("RUN", run_iri("r")) for each in questions]
    answers = [solved(store, prefixes + each) for each in asked]
    state, seen = short(write("a", "r")), short(read("b", "r"))
    assert answers == [
        [(state, "—")],
        [(at(1), "0.25")],
        [(state, "4"), (seen, "5")],
        [("spark", "3")],
        [(state, "agent/person/ana")],
    ]
