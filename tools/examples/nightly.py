"""What runs at the bank every night, as its scheduler reports it: snapshot of the API, features, scores, checks.

The snapshot begins on 1 March 2026; the rest was a weekly job (`examples/credit/01-pipelines.jsonl`) until the API
failed it on 15 March, and runs nightly from the 16th. Not every night goes well: see `_ODD`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha1

from tools.examples import tables
from tools.examples.events import Job, Json, dataset, facets, instant, job_event, run_event

FIRST, NIGHTLY, LAST = (datetime(2026, 3, 1), datetime(2026, 3, 16), datetime(2026, 4, 5))
#: The days of which the demographics API delivered wrong ages.
WRONG = tuple(datetime(2026, 3, day) for day in (6, 7, 8, 9))
#: What went wrong once: (job, day) → what.
_ODD = {
    ("features", datetime(2026, 3, 22)): "start lost",
    ("features", datetime(2026, 3, 27)): "failed",
    ("risk.checks", datetime(2026, 4, 5)): "still running",
}
_SCORE = """INSERT OVERWRITE customer_risk_score
SELECT f.customer_id, risk(f.avg_spend, f.overdraft_days) AS risk_score, band(d.age) AS age_band, d.region
FROM customer_features f JOIN demographics_snapshot d ON d.customer_id = f.customer_id"""


def commit(subject: str) -> str:
    """A revision of the bank's code, 40 hexadecimal digits."""
    return sha1(subject.encode(), usedforsecurity=False).hexdigest()


REVISION = commit("risk pipelines, March 2026")


def _job(namespace: str, name: str, code: str, text: str, integration: str, **more: Json) -> Job:
    kind = {"processingType": "BATCH", "integration": integration, "jobType": "DAG" if name == "nightly" else "TASK"}
    owners = {"owners": [{"name": "team:risk-data", "type": "maintainer"}]}
    return Job(
        namespace,
        name,
        code,
        facets(job_documentation={"description": text}, jobType=kind, job_ownership=owners, **more),
    )


def _code(path: str) -> Json:
    url = "https://git.example/bank/risk"
    return {
        "type": "git",
        "url": f"{url}/blob/{REVISION}/{path}",
        "repoUrl": f"{url}.git",
        "path": path,
        "version": REVISION,
        "branch": "main",
    }


DAG = _job("airflow", "nightly", "8001", "everything that has to be done before the branches open", "AIRFLOW")
LOAD = _job(
    "airflow",
    "demographics.load",
    "8002",
    "keeps what the demographics API answers, once a night",
    "AIRFLOW",
    sourceCodeLocation=_code("dags/demographics.py"),
)
FEATURES = _job(
    "feast",
    "features",
    "8003",
    "computes the features of every customer from the raw transactions",
    "SPARK",
    sourceCodeLocation=_code("features/accounts.py"),
)
SCORE = _job(
    "airflow",
    "risk.score",
    "8004",
    "scores every customer once a night",
    "AIRFLOW",
    sourceCodeLocation=_code("dags/score.py"),
    sql={"query": _SCORE, "dialect": "spark"},
)
CHECKS = _job("airflow", "risk.checks", "8005", "measures the scores before anybody uses them", "AIRFLOW")
AUDIT = _job("airflow", "demographics.audit", "8006", "looks again at snapshots already taken", "AIRFLOW")
EXPORT = _job("crm", "campaign.export", "8007", "who gets a letter about the spring offer", "SPARK")


def days(first: datetime, last: datetime = LAST) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def rows(day: datetime) -> int:
    """Customers on a day: a few more every day."""
    return 48_200 + 7 * (day - FIRST).days


def version(day: datetime) -> str:
    """The label of the scores that are written on a day; the weekly job wrote 1 and 2."""
    return str((day - NIGHTLY).days + 3)


def snapshots() -> Iterator[Json]:
    """A snapshot of the API each night; nothing in these events tells that some of them are wrong."""
    for day in days(FIRST):
        made = tables.written(tables.SNAPSHOT, f"{day:%Y-%m-%d}", rows(day))
        yield from _run(LOAD, day, (90, 105), [dataset(tables.API)], [made])


def audit() -> Iterator[Json]:
    """On 14 March somebody wonders about the ages: six snapshots are looked at again, and four are found wrong."""
    noticed = datetime(2026, 3, 14)
    for number, day in enumerate(days(datetime(2026, 3, 5), datetime(2026, 3, 10))):
        mean = "12.3" if day in WRONG else f"{44.8 + number / 10:.1f}"
        found = {"assertion": "mean_between", "name": "mean age is plausible", "success": day not in WRONG}
        check = {**found, "column": "age", "severity": "error", "expected": "40 to 50", "actual": mean}
        youngest = {"age": {"min": 0 if day in WRONG else 18, "max": 104}}
        looked = dataset(
            tables.SNAPSHOT,
            facets=facets(version={"datasetVersion": f"{day:%Y-%m-%d}"}),
            inputFacets=facets(
                dataQualityMetrics={"rowCount": rows(day), "columnMetrics": youngest},
                dataQualityAssertions={"assertions": [check]},
            ),
        )
        yield from _run(AUDIT, noticed, (540 + number, 541 + number), [looked], [], number=number)


def declared() -> Iterator[Json]:
    """What the jobs are said to read and write, as of 16 March."""
    reads = [tables.SNAPSHOT, tables.FEATURES, ("https://bureau.example", "bureau-scores")]
    yield job_event("2026-03-16T08:30:00Z", SCORE, reads, [tables.SCORES])
    yield job_event("2026-03-16T08:31:00Z", LOAD, [tables.API], [tables.SNAPSHOT])
    yield job_event("2026-03-16T08:32:00Z", FEATURES, [tables.TRANSACTIONS], [tables.FEATURES])


def scores() -> Iterator[Json]:
    """The nightly run and its parts: features, scores, checks."""
    for day in days(NIGHTLY):
        yield from _run(DAG, day, (60, 220), [], [])
        made = tables.written(tables.FEATURES, f"{day:%Y-%m-%d}", rows(day))
        yield from _run(FEATURES, day, (120, 150), [dataset(tables.TRANSACTIONS)], [made])
        made = tables.written(tables.SCORES, version(day), rows(day))
        yield from _run(SCORE, day, (180, 200), [dataset(tables.SNAPSHOT), dataset(tables.FEATURES)], [made])
        yield from _run(CHECKS, day, (205, 210), [_checked(day)], [])


def _checked(day: datetime) -> Json:
    missing = 90 + 3 * (day.day % 7)
    late = _ODD.get(("features", day)) == "failed"
    columns = {"age_band": {"nullCount": missing, "distinctCount": 3}, "risk_score": {"min": 0.01, "max": 0.97}}
    age = {"assertion": "freshness", "name": "features are of this night", "success": not late, "severity": "warn"}
    tests = [
        {
            "assertion": "not_null_share",
            "success": True,
            "column": "age_band",
            "severity": "warn",
            "expected": "at most 1 % missing",
            "actual": f"{100 * missing / rows(day):.1f} % missing",
        },
        {**age, "expected": "at most 2 hours old", "actual": "24.6 hours old" if late else "0.6 hours old"},
    ]
    return dataset(
        tables.SCORES,
        facets=facets(version={"datasetVersion": version(day)}),
        inputFacets=facets(
            dataQualityMetrics={"rowCount": rows(day), "columnMetrics": columns},
            dataQualityAssertions={"assertions": tests},
        ),
    )


def campaign() -> Iterator[Json]:
    """Marketing reads a table that nobody is known to write."""
    day = datetime(2026, 3, 30)
    chosen = dataset(tables.CAMPAIGN, outputFacets=facets(outputStatistics={"rowCount": 4120, "size": 164_800}))
    yield from _run(EXPORT, day, (600, 604), [dataset(tables.SEGMENTS), dataset(tables.SCORES)], [chosen])


def _run(
    job: Job, day: datetime, minutes: tuple[int, int], inputs: list[Json], outputs: list[Json], number: int = 0
) -> Iterator[Json]:
    """Start and end of a run as they are sent, with what went wrong."""
    odd = _ODD.get((job.name, day), "")
    run, (start, end) = job.run(day, number), minutes
    if odd != "start lost":
        announced = [dataset((each["namespace"], each["name"])) for each in outputs] if odd else []
        about = _about(job, day, start)
        yield run_event("START", instant(day, start), job.named(**job.facets), run, about, [], announced)
    if odd == "failed":
        error = {"message": "executor lost: out of memory in stage 14", "programmingLanguage": "PYTHON"}
        yield run_event("FAIL", instant(day, end), job.named(), run, facets(errorMessage=error), inputs, [])
    elif odd != "still running":
        yield run_event("COMPLETE", instant(day, end), job.named(), run, {}, inputs, outputs)


def _about(job: Job, day: datetime, start: int) -> Json:
    told: dict[str, Json] = {"nominalTime": {"nominalStartTime": instant(day, start // 60 * 60)}}
    engine = {"SPARK": ("Spark", "3.5.1"), "AIRFLOW": ("Airflow", "2.10.5")}[job.facets["jobType"]["integration"]]
    told["processing_engine"] = {"name": engine[0], "version": engine[1], "openlineageAdapterVersion": "1.30.1"}
    if day >= NIGHTLY and job in (LOAD, FEATURES, SCORE, CHECKS):
        told["parent"] = {"run": {"runId": DAG.run(day)}, "job": {"namespace": DAG.namespace, "name": DAG.name}}
    return facets(**told)


def runs() -> Iterator[str]:
    """The ids of the runs that the scheduler started, without that of marketing."""
    yield from (LOAD.run(day) for day in days(FIRST))
    yield from (AUDIT.run(datetime(2026, 3, 14), number) for number in range(6))
    for day in days(NIGHTLY):
        yield from (job.run(day) for job in (DAG, FEATURES, SCORE, CHECKS))
