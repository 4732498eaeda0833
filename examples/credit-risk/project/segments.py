"""Who is judged by which of the three models, and by what."""

from __future__ import annotations

import pandas as pd

FEATURES = ["income", "tenure", "missed_payments", "spending_ratio"]
SEGMENTS = ("standard", "premium", "thinfile")


def segment(table: pd.DataFrame) -> pd.Series:
    """The segment of each row: few months of history, a high income, or neither."""
    found = pd.Series("standard", index=table.index)
    found[table["income"] >= 45_000] = "premium"
    found[table["tenure"] < 24] = "thinfile"
    return found
