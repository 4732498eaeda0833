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


def age_band(table: pd.DataFrame) -> pd.Series:
    """The age band of each row."""
    return pd.cut(table["age"], [0, 29, 44, 64, 200], labels=["18-29", "30-44", "45-64", "65 and over"]).astype(str)
