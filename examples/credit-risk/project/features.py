"""Stands for the feature store: writes the table that it holds of each customer to `data/features.csv`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from fetch import people

from provstore import record

TABLE = Path("data/features.csv")


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["data"]
    found = people(np.random.default_rng(params["seed"]), params["customers"], 1)
    table = found[["customer_id", "tenure"]].rename(columns={"tenure": "tenure_months"})
    with record.step("fetch features.csv") as step:
        table.assign(as_of="2026-03-01").to_csv(TABLE, index=False)
        step.used(record.url("https://features.bank.example/customers"))
        step.generated(TABLE)


if __name__ == "__main__":
    main()
