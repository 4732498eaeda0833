"""A small world to be searched, facets in short, and how it is asked."""

from __future__ import annotations

from typing import Any

from provstore.core import ProvStore
from provstore.model import Submission
from provstore.search import Found, Request, Searcher
from tests import stores
from tests.histories import data, native, of_dataset, of_job, said
from tests.stores import BASE

Object = dict[str, Any]


def schema(*names: str | Object) -> Object:
    return {"fields": [{"name": each} if isinstance(each, str) else each for each in names]}


def told(text: str) -> Object:
    return {"description": text}


def owned(*names: str) -> Object:
    return {"owners": [{"name": each} for each in names]}


def tagged(*keys: str, **values: str) -> Object:
    return {
        "tags": [{"key": key, "value": "true"} for key in keys] + [{"key": k, "value": v} for k, v in values.items()]
    }


def in_namespace(value: Object, namespace: str) -> Object:
    value["dataset"]["namespace"] = namespace
    return value


ADDRESS = {"name": "address", "fields": [{"name": "city", "description": "municipality"}, {"name": "postalCode"}]}
RISK = of_dataset(
    "analytics.customer_risk_score",
    1,
    schema=schema("customer_id", "riskBand", ADDRESS),
    documentation=told("How likely a borrower is to default"),
    ownership=owned("team:risk", "user:ana"),
    tags=tagged("pii", layer="gold"),
)
WORLD: list[Object | str] = [
    RISK,
    in_namespace(of_dataset("events/clicks", 2, schema=schema("likely")), "s3://bucket"),
    of_dataset("plain", 3, documentation=told("nothing is LIKELY here, ever, of all the things that could be said")),
    of_dataset("likely", 4),
    of_dataset("orders", 5, schema=schema(*(f"column_{n}" for n in range(30)))),
    of_dataset("orders_archive", 6),
    of_dataset("RiskModelInput", 7),
    of_job("nightly.score", 8, ["plain"], ["likely"], sql={"query": "SELECT likely, churn_rate FROM accounts"}),
    said("r", "START", 9, job="nightly.score"),
    said("r", "FAIL", 10, job="nightly.score", run_facets={"errorMessage": {"message": "Broken pipe in stage 7"}}),
    said("s", "COMPLETE", 11, ["plain"], [data("made_here", schema=schema("thisColumn"))], job="other"),
    "<urn:e:1> a prov:Entity ; dct:title 'Évaluation générale', 'تقييم المَخاطر'@ar .",
    "<urn:e:2> a prov:Entity ; dct:title '顧客リスク評価表' .",
    "<urn:e:3> a prov:Activity ; <http://www.w3.org/2000/01/rdf-schema#label> 'Sommerfest' .",
    "<urn:e:4> <http://schema.org/name> '<b>bold & brash</b>' .",
    "<urn:e:5> prov:label 'प्रलेख सूची' .",
    f"<{BASE}/model/premium> a ps:Model . <{BASE}/model/premium-1> a prov:Entity, ps:ModelVersion ;"
    f" prov:specializationOf <{BASE}/model/premium> ; prov:wasAttributedTo <{BASE}/agent/person/ana> .",
    f"<{BASE}/prediction/77> a prov:Entity, ps:Prediction . <urn:e:d> a ps:Decision ; dct:title 'refused' .",
    f"<{BASE}/agent/person/ana> a prov:Person . <urn:a:2> a prov:Organization ;"
    " <http://xmlns.com/foaf/0.1/name> 'Bank of Somewhere' .",
]


def submission(each: Object | str) -> Submission:
    return native(each) if isinstance(each, str) else stores.event(each)


def searching(store: ProvStore) -> Searcher:
    return Searcher(store.directory / "views" / "view.db")


def ask(
    searcher: Searcher, text: str = "", limit: int = 20, cursor: str = "", **filters: str | tuple[str, ...]
) -> Found:
    wanted = {name: (value,) if isinstance(value, str) else value for name, value in filters.items()}
    return searcher.search(Request(text, wanted, limit, cursor))


def names(found: Found) -> list[str]:
    return [each["name"] for each in found.results]
