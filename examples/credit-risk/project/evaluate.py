"""Holds each model against customers that it has not seen, by age band."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pandas as pd
import yaml
from fairlearn.metrics import MetricFrame, count, selection_rate
from segments import FEATURES, SEGMENTS, segment
from sklearn.metrics import accuracy_score

from provstore.observe.fairness import fairness

HOLDOUT = Path("data/holdout.csv")
#: The ratio between the best and the worst treated group below which it is a disparity.
RATIO = 0.8


def main() -> None:
    threshold = yaml.safe_load(Path("params.yaml").read_text())["decide"]["threshold"]
    customers = pd.read_csv(HOLDOUT)
    digest = hashlib.sha256(HOLDOUT.read_bytes()).hexdigest()
    data = {"namespace": "file", "name": str(HOLDOUT.absolute()), "sha256": digest, "columns": list(customers.columns)}
    with open("reports/fairness.jsonl", "w") as file:
        for name in SEGMENTS:
            made = json.loads(Path(f"models/{name}.json").read_text())["model"]
            started = datetime.now(UTC)
            rows = customers[segment(customers) == name]
            frame = MetricFrame(
                metrics={"selection_rate": selection_rate, "accuracy": accuracy_score, "count": count},
                y_true=rows["defaulted"] == 0,
                y_pred=mlflow.sklearn.load_model(made).predict_proba(rows[FEATURES])[:, 1] < threshold,
                sensitive_features=rows["age_band"],
            )
            said = fairness(
                frame,
                model=made,
                evaluation={
                    "id": f"{made.rpartition('-')[2]}-by-age",
                    "name": f"{name} by age band",
                    "startedAt": started.isoformat(),
                    "endedAt": datetime.now(UTC).isoformat(),
                    "by": "ana",
                },
                datasets=[data],
                thresholds={"selection_rate": {"ratio": RATIO}},
            )
            file.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
