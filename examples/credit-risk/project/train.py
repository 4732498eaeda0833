"""Trains the model of a segment, with MLflow's autolog and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
import pandas as pd
import yaml
from segments import FEATURES, segment
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(name: str) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["train"][name]
    mlflow.set_experiment("credit-risk")
    mlflow.sklearn.autolog()
    with mlflow.start_run(run_name=f"train {name}") as run:
        table = pd.read_csv("data/training.csv")
        table = table[segment(table) == name]
        if name == "premium":
            model = GradientBoostingClassifier(
                n_estimators=params["trees"], max_depth=params["depth"], random_state=params["seed"]
            )
        else:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=params["C"], random_state=params["seed"]))
        model.fit(table[FEATURES], table["defaulted"])
    (made,) = mlflow.get_run(run.info.run_id).outputs.model_outputs
    Path(f"models/{name}.json").write_text(
        json.dumps({"run": run.info.run_id, "model": f"models:/{made.model_id}"}) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1])
