"""Exports the risk table as the training set and the holdout, split by customer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import yaml
from load import DATABASE, table

from provstore import record


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["split"]
    with record.step("export", parameters=params) as step:
        with duckdb.connect(str(DATABASE), read_only=True) as bank:
            rows = bank.execute("from customer_risk_score order by customer_id").df()
        step.used(table("main.customer_risk_score"))
        held = np.random.default_rng(params["seed"]).random(len(rows)) < params["holdout"]
        rows[~held].to_csv("data/training.csv", index=False)
        rows[held].to_csv("data/holdout.csv", index=False)
        step.generated("data/training.csv")
        step.generated("data/holdout.csv")


if __name__ == "__main__":
    main()
