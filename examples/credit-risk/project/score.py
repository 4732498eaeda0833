"""Scores the new applications, each with the champion of its segment, and has loan officers decide.

What an applicant told is committed to, not stored: the vault below the spool opens it, until it is erased there.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import yaml
from segments import FEATURES, SEGMENTS, segment

from provstore import record

APPLICATIONS = Path("data/raw/applications.csv")
OFFICERS = {"standard": "dan", "premium": "mei", "thinfile": "dan"}


def batch(kind: str, namespace: str, rows: list[dict[str, Any]], **said: Any) -> dict[str, Any]:
    """A batch of items: what they are, and what all of them share."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    head = {"provstore": "items/1", "kind": kind, "namespace": namespace, "run": str(uuid.uuid4()), "start": now}
    return {**head, "end": now, **said, "items": rows}


def received(applications: pd.DataFrame) -> dict[str, Any]:
    """The applications as they came in, values committed."""
    columns = ["age", *FEATURES]
    keys, told = applications["application_id"], applications[columns].to_dict("records")
    rows = [
        {"key": key, "subject": key.replace("app", "applicant"), "value": str(record.commit(row, subject=key))}
        for key, row in zip(keys, told, strict=True)
    ]
    digest = hashlib.sha256(APPLICATIONS.read_bytes()).hexdigest()
    data = {"dataset": {"namespace": "file", "name": str(APPLICATIONS.absolute())}, "sha256": digest}
    return batch("Extraction", "applications", rows, software="score.py", **{"from": data})


def scored(name: str, rows: pd.DataFrame, threshold: float) -> list[dict[str, Any]]:
    """What the champion of a segment says of applications, and what was decided on it."""
    version = mlflow.MlflowClient().get_model_version_by_alias(f"credit-{name}", "champion")
    model = mlflow.sklearn.load_model(f"models:/credit-{name}/{version.version}")
    risks = dict(zip(rows["application_id"], model.predict_proba(rows[FEATURES])[:, 1].round(4), strict=True))
    predictions = [
        {"key": key, "value": float(risk), "from": {"namespace": "applications", "key": key}}
        for key, risk in risks.items()
    ]
    decisions = [
        {"key": key, "value": "granted" if risk < threshold else "refused", "from": {"namespace": "risk", "key": key}}
        for key, risk in risks.items()
    ]
    return [
        batch("Inference", "risk", predictions, title=f"score {name}", model=version.source, software="score.py"),
        batch(
            "Decision",
            "loans",
            decisions,
            title=f"decide {name}",
            reason=f"a risk of {threshold} and more is refused",
            agents=[{"kind": "person", "id": OFFICERS[name]}],
        ),
    ]


def main() -> None:
    threshold = yaml.safe_load(Path("params.yaml").read_text())["decide"]["threshold"]
    applications = pd.read_csv(APPLICATIONS)
    told = [received(applications)]
    for name in SEGMENTS:
        told += scored(name, applications[segment(applications) == name], threshold)
    Path("reports/predictions.jsonl").write_text("".join(json.dumps(each) + "\n" for each in told))


if __name__ == "__main__":
    main()
