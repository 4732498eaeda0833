"""Reads more files than the tags of a run hold."""

from pathlib import Path

import mlflow

with mlflow.start_run():
    rows = sum(len(path.open().readlines()) for path in sorted(Path("data").glob("part-*.csv")))
    mlflow.log_metric("rows", rows)
