"""Holds each model against customers that it has not seen, by age band."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pandas as pd
import yaml
from fairlearn.metrics import MetricFrame, selection_rate
from segments import FEATURES, SEGMENTS, age_band, segment
from sklearn.metrics import accuracy_score, recall_score


def main() -> None:
    threshold = yaml.safe_load(Path("params.yaml").read_text())["decide"]["threshold"]
    holdout = pd.read_csv("data/holdout.csv")
    with open("reports/fairness.jsonl", "w") as file:
        for name in SEGMENTS:
            made = json.loads(Path(f"models/{name}.json").read_text())["model"]
            rows = holdout[segment(holdout) == name]
            approved = mlflow.sklearn.load_model(made).predict_proba(rows[FEATURES])[:, 1] < threshold
            frame = MetricFrame(
                metrics={"selection_rate": selection_rate, "accuracy": accuracy_score},
                y_true=rows["defaulted"] == 0,
                y_pred=approved,
                sensitive_features=age_band(rows).rename("age_band"),
            )
            print(name, len(rows), frame.by_group, frame.ratio())


if __name__ == "__main__":
    main()
