"""Trains the model of a segment, with MLflow's autolog and nothing else."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mlflow
import pandas as pd
from segments import FEATURES, segment
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    for option, kind in (("C", float), ("trees", int), ("depth", int), ("seed", int)):
        parser.add_argument(f"--{option}", type=kind)
    given = parser.parse_args()
    if given.name == "premium":
        model = GradientBoostingClassifier(n_estimators=given.trees, max_depth=given.depth, random_state=given.seed)
    else:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=given.C, random_state=given.seed))
    mlflow.set_experiment("credit-risk")
    mlflow.sklearn.autolog()
    with mlflow.start_run(run_name=f"train {given.name}") as run:
        table = pd.read_csv("data/training.csv")
        table = table[segment(table) == given.name]
        model.fit(table[FEATURES], table["defaulted"])
    (made,) = mlflow.get_run(run.info.run_id).outputs.model_outputs
    told = {"run": run.info.run_id, "model": f"models:/{made.model_id}"}
    Path(f"models/{given.name}.json").write_text(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
