"""Exports the risk table as the training set and the holdout, split by customer."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import numpy as np
import yaml


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["split"]
    with duckdb.connect(os.environ["BANK_DATABASE"], read_only=True) as bank:
        table = bank.execute("from customer_risk_score order by customer_id").df()
    held = np.random.default_rng(params["seed"]).random(len(table)) < params["holdout"]
    table[~held].to_csv("data/training.csv", index=False)
    table[held].to_csv("data/holdout.csv", index=False)


if __name__ == "__main__":
    main()
