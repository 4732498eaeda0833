"""Stands for the systems that the data come from: the same made-up customers for the same seed, no real ones.

Writes a log of transactions, the answers of a demographics API (a page a line) and new applications to `data/raw`, and
records where each would have come from. The young earn less, are new and miss payments more often, so that a model
which never sees their age treats them differently all the same.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from provstore import record

RAW = Path("data/raw")
PAGE = 500
SOURCES = {
    "transactions.csv": "https://core.bank.example/transactions",
    "demographics.jsonl": "https://demographics.bank.example/v2/customers",
    "applications.csv": "https://portal.bank.example/applications",
}


def people(rng: np.random.Generator, count: int, first: int) -> pd.DataFrame:
    """Customers, and how likely each is to default."""
    age = rng.integers(18, 80, count)
    income = np.round(rng.lognormal(10.2 + 0.012 * (age - 18), 0.35), -2)
    tenure = np.minimum(rng.exponential(8 + 1.6 * (age - 18)), (age - 17) * 12).astype(int)
    risk = 1 / (1 + np.exp(-(2.2 - 0.00006 * income - 0.018 * tenure)))
    names = [f"c-{first + number:05d}" for number in range(count)]
    return pd.DataFrame({"customer_id": names, "age": age, "income": income, "tenure": tenure, "risk": risk})


def transactions(rng: np.random.Generator, found: pd.DataFrame) -> pd.DataFrame:
    """A year of salaries, spending and missed payments, and of some the default that ended it."""
    rows: list[tuple[str, str, str, float]] = []
    days = pd.date_range("2025-03-01", periods=365).strftime("%Y-%m-%d").to_numpy()
    for each in found.itertuples():
        monthly = each.income / 12
        for month in range(0, 12, 2):
            spent = round(monthly * rng.uniform(0.6, 1.9), 2)
            rows.append((each.customer_id, days[month * 30], "salary", round(monthly * 2, 2)))
            rows.append((each.customer_id, days[month * 30 + 9], "purchase", -spent))
        for day in rng.integers(0, 360, rng.poisson(4 * each.risk)):
            rows.append((each.customer_id, days[day], "missed_payment", 0.0))
        if rng.random() < each.risk:
            rows.append((each.customer_id, days[364], "default", 0.0))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "kind", "amount"])
    frame.insert(0, "transaction_id", [f"t-{number:06d}" for number in range(len(frame))])
    return frame


def demographics(found: pd.DataFrame) -> str:
    """The pages that the API answers with, a line each."""
    records = [
        {"customer": each.customer_id, "birth_year": int(2026 - each.age), "declared_income": float(each.income)}
        for each in found.itertuples()
    ]
    pages = [records[first : first + PAGE] for first in range(0, len(records), PAGE)]
    told = [{"page": number, "pages": len(pages), "results": page} for number, page in enumerate(pages, 1)]
    return "".join(json.dumps(each, sort_keys=True) + "\n" for each in told)


def applications(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """What applicants told, and what a bureau knows of them."""
    found = people(rng, count, 90_001)
    found["missed_payments"] = rng.poisson(4 * found["risk"])
    found["spending_ratio"] = np.round(rng.uniform(0.6, 1.9, count) / 2, 3)
    found.insert(0, "application_id", [f"app-{number:04d}" for number in range(1, count + 1)])
    return found.drop(columns=["risk"])


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["data"]
    rng = np.random.default_rng(params["seed"])
    customers = people(rng, params["customers"], 1)
    made = {
        "transactions.csv": transactions(rng, customers).to_csv(index=False),
        "demographics.jsonl": demographics(customers),
        "applications.csv": applications(rng, params["applications"]).to_csv(index=False),
    }
    RAW.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        with record.step(f"fetch {name}") as step:
            (RAW / name).write_text(text)
            step.used(record.url(SOURCES[name]))
            step.generated(RAW / name)


if __name__ == "__main__":
    main()
