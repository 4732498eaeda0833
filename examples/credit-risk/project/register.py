"""Registers the model of a segment as its next version, under an alias: `register.py standard champion`.

With `promote` in place of a model, the challenger becomes champion.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient


def main(name: str, alias: str) -> None:
    client, registered = MlflowClient(), f"credit-{name}"
    if alias == "promote":
        version = client.get_model_version_by_alias(registered, "challenger").version
        client.set_registered_model_alias(registered, "champion", version)
        client.delete_registered_model_alias(registered, "challenger")
    else:
        made = json.loads(Path(f"models/{name}.json").read_text())["model"]
        version = mlflow.register_model(made, registered).version
        client.set_registered_model_alias(registered, alias, version)


if __name__ == "__main__":
    main(*sys.argv[1:])
