"""Stands for the systems that the data come from: the same made-up customers for the same seed, no real ones.

Writes a log of transactions, the answers of a demographics API (a file of JSON a page) and new applications to
`data/raw`. The young earn less, are new and miss payments more often, so that a model which never sees their age
treats them differently all the same.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

RAW = Path("data/raw")
PAGE = 500


def people(rng: np.random.Generator, count: int, first: int) -> pd.DataFrame:
    """Customers, and how likely each is to default."""
    age = rng.integers(18, 80, count)
    income = np.round(rng.lognormal(10.2 + 0.012 * (age - 18), 0.35), -2)
    tenure = np.minimum(rng.exponential(8 + 1.6 * (age - 18)), (age - 17) * 12).astype(int)
    risk = 1 / (1 + np.exp(-(2.2 - 0.00006 * income - 0.018 * tenure)))
    return pd.DataFrame(
        {
            "customer_id": [f"c-{first + n:05d}" for n in range(count)],
            "age": age,
            "income": income,
            "tenure": tenure,
            "risk": risk,
        }
    )


def transactions(rng: np.random.Generator, found: pd.DataFrame) -> pd.DataFrame:
    """A year of salaries, spending and missed payments, and of some the default that ended it."""
    rows: list[tuple[str, str, str, float]] = []
    days = pd.date_range("2025-03-01", periods=365).strftime("%Y-%m-%d").to_numpy()
    for each in found.itertuples():
        monthly = each.income / 12
        for month in range(0, 12, 2):
            rows.append((each.customer_id, days[month * 30], "salary", round(monthly * 2, 2)))
            rows.append(
                (each.customer_id, days[month * 30 + 9], "purchase", -round(monthly * rng.uniform(0.6, 1.9), 2))
            )
        for day in rng.integers(0, 360, rng.poisson(4 * each.risk)):
            rows.append((each.customer_id, days[day], "missed_payment", 0.0))
        if rng.random() < each.risk:
            rows.append((each.customer_id, days[364], "default", 0.0))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "kind", "amount"])
    frame.insert(0, "transaction_id", [f"t-{n:06d}" for n in range(len(frame))])
    return frame


def demographics(found: pd.DataFrame) -> list[dict[str, object]]:
    """The pages that the API answers with."""
    records = [
        {"customer": each.customer_id, "birth_year": int(2026 - each.age), "declared_income": float(each.income)}
        for each in found.itertuples()
    ]
    pages = [records[n : n + PAGE] for n in range(0, len(records), PAGE)]
    return [{"page": n, "pages": len(pages), "results": page} for n, page in enumerate(pages, 1)]


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["data"]
    rng = np.random.default_rng(params["seed"])
    RAW.mkdir(parents=True, exist_ok=True)
    customers = people(rng, params["customers"], 1)
    transactions(rng, customers).to_csv(RAW / "transactions.csv", index=False)
    with (RAW / "demographics.jsonl").open("w") as file:
        file.writelines(json.dumps(page, sort_keys=True) + "\n" for page in demographics(customers))
    applicants = people(rng, params["applications"], 90_001)
    applicants["missed_payments"] = rng.poisson(4 * applicants["risk"])
    applicants["spending_ratio"] = np.round(rng.uniform(0.6, 1.9, len(applicants)) / 2, 3)
    applicants.insert(0, "application_id", [f"app-{n:04d}" for n in range(1, len(applicants) + 1)])
    applicants.drop(columns=["risk"]).to_csv(RAW / "applications.csv", index=False)


if __name__ == "__main__":
    main()
