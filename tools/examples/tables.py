"""The bank's datasets: names, columns with descriptions, owners, tags, and which column is made of which."""

from __future__ import annotations

from collections.abc import Iterator

from tools.examples.events import Json, dataset_event, facets

Name = tuple[str, str]

API: Name = ("https://demographics.example", "demographics-api")
TRANSACTIONS: Name = ("s3://bank-raw", "transactions")
FEATURES: Name = ("feast://bank", "customer_features")
SNAPSHOT: Name = ("warehouse://bank", "demographics_snapshot")
SCORES: Name = ("warehouse://bank", "customer_risk_score")
SEGMENTS: Name = ("warehouse://bank", "customer_segments")
CAMPAIGN: Name = ("s3://bank-marketing", "campaign_list")
OUTCOMES: Name = ("s3://bank-raw", "loan_outcomes")
HOLDOUT: Name = ("s3://bank-validation", "holdout_applications")

#: Dataset → its columns: name, type, what it holds.
COLUMNS: dict[Name, list[tuple[str, str, str]]] = {
    TRANSACTIONS: [
        ("customer_id", "VARCHAR", "pseudonym of the customer"),
        ("amount", "DECIMAL(12,2)", "amount in euro, negative when money leaves the account"),
        ("balance", "DECIMAL(12,2)", "balance after the transaction, in euro"),
        ("booked_at", "TIMESTAMP", "when it was booked"),
    ],
    SNAPSHOT: [
        ("customer_id", "VARCHAR", "pseudonym of the customer"),
        ("age", "INTEGER", "age in years on the day of the snapshot"),
        ("sex", "VARCHAR", "as registered; used to measure fairness, never to score"),
        ("region", "VARCHAR", "first two digits of the postcode"),
    ],
    FEATURES: [
        ("customer_id", "VARCHAR", "pseudonym of the customer"),
        ("avg_spend", "DOUBLE", "mean monthly spending over 12 months, in euro"),
        ("overdraft_days", "INTEGER", "days below zero in the last 90"),
    ],
    SCORES: [
        ("customer_id", "VARCHAR", "pseudonym of the customer"),
        ("risk_score", "DOUBLE", "probability of default within 12 months"),
        ("age_band", "VARCHAR", "under 25, 25 to 64, 65 and over"),
        ("region", "VARCHAR", "first two digits of the postcode"),
    ],
}

#: Dataset → what it is, who owns it and as what, and its tags (key, value, column).
_ABOUT: dict[Name, tuple[str, list[tuple[str, str]], list[tuple[str, str, str]]]] = {
    SNAPSHOT: (
        "The demographics API as it answered each night, kept so that a wrong delivery can be found and replaced.",
        [("team:risk-data", "steward"), ("team:data-office", "owner")],
        [("pii", "true", "age"), ("pii", "true", "sex"), ("tier", "gold", "")],
    ),
    FEATURES: (
        "What the models know of a customer's accounts, in the feature store.",
        [("team:risk-data", "steward")],
        [("tier", "gold", "")],
    ),
    SCORES: (
        "One row a customer: the risk that a loan is not paid back. The loan models learn from it and look it up.",
        [],
        [("tier", "gold", ""), ("purpose", "credit scoring", "")],
    ),
    OUTCOMES: (
        "Loans of the last five years and whether they were paid back, from the loan book.",
        [("team:loan-desk", "owner")],
        [("purpose", "credit scoring", "")],
    ),
    HOLDOUT: (
        "5,000 applications set aside on 3 February 2026 to measure models on; no model learns from them.",
        [("team:model-risk", "owner")],
        [("purpose", "validation", "")],
    ),
    CAMPAIGN: ("Customers to be written to about the spring offer.", [("team:marketing", "owner")], []),
}

#: Dataset → its columns and what each is made of: dataset, column, transformation.
_MADE_OF: dict[Name, dict[str, list[tuple[Name, str, str]]]] = {
    SNAPSHOT: {
        "customer_id": [(API, "customer_id", "IDENTITY")],
        "age": [(API, "age", "IDENTITY")],
        "sex": [(API, "sex", "IDENTITY")],
        "region": [(API, "postcode", "TRANSFORMATION")],
    },
    FEATURES: {
        "customer_id": [(TRANSACTIONS, "customer_id", "IDENTITY")],
        "avg_spend": [(TRANSACTIONS, "amount", "AGGREGATION")],
        "overdraft_days": [(TRANSACTIONS, "balance", "AGGREGATION")],
    },
    SCORES: {
        "customer_id": [(FEATURES, "customer_id", "IDENTITY")],
        "risk_score": [(FEATURES, "avg_spend", "TRANSFORMATION"), (FEATURES, "overdraft_days", "TRANSFORMATION")],
        "age_band": [(SNAPSHOT, "age", "TRANSFORMATION")],
        "region": [(SNAPSHOT, "region", "IDENTITY")],
    },
}


def described() -> Iterator[Json]:
    """What the data catalogue says of the datasets, an event each."""
    for number, (name, (text, owners, tags)) in enumerate(_ABOUT.items()):
        values: dict[str, Json] = {"documentation": {"description": text}}
        if owners:
            values["ownership"] = {"owners": [{"name": owner, "type": kind} for owner, kind in owners]}
        if tags:
            values["tags"] = {"tags": [_tag(*each) for each in tags]}
        if name in COLUMNS:
            values["schema"] = _schema(name)
        yield dataset_event(f"2026-03-16T08:{number:02d}:00Z", name, **values)


def _tag(key: str, value: str, column: str) -> Json:
    return {"key": key, "value": value, "source": "CATALOGUE", **({"field": column} if column else {})}


def _schema(name: Name) -> Json:
    return {"fields": [{"name": each, "type": kind, "description": text} for each, kind, text in COLUMNS[name]]}


def written(name: Name, version: str, rows: int) -> Json:
    """A dataset as a run wrote it, in whole: its columns and where they come from, its version, its size."""
    fields = {
        column: {
            "inputFields": [
                {"namespace": d[0], "name": d[1], "field": c, "transformations": [{"type": "DIRECT", "subtype": how}]}
                for d, c, how in sources
            ]
        }
        for column, sources in _MADE_OF[name].items()
    }
    return {
        "namespace": name[0],
        "name": name[1],
        "facets": facets(
            schema=_schema(name),
            columnLineage={"fields": fields},
            lifecycleStateChange={"lifecycleStateChange": "OVERWRITE"},
            version={"datasetVersion": version},
        ),
        "outputFacets": facets(outputStatistics={"rowCount": rows, "size": rows * 61}),
    }
