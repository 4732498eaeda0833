"""Scores the new applications, each with the champion of its segment."""

from __future__ import annotations

import mlflow
import pandas as pd
import yaml
from segments import FEATURES, SEGMENTS, segment


def main() -> None:
    applications = pd.read_csv("data/raw/applications.csv")
    for name in SEGMENTS:
        rows = applications[segment(applications) == name]
        version = mlflow.MlflowClient().get_model_version_by_alias(f"credit-{name}", "champion")
        model = mlflow.sklearn.load_model(f"models:/credit-{name}/{version.version}")
        print(name, version.version, version.source, len(rows), model.predict_proba(rows[FEATURES])[:3, 1])


if __name__ == "__main__":
    main()
