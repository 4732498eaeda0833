"""A training script as people write it: autologging, and nothing of provstore."""

import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression

mlflow.sklearn.autolog()
frame = pd.read_csv("data/train.csv")
LogisticRegression().fit(frame[["income", "debt"]], frame["default"])
holdout = pd.read_csv("data/holdout.csv")
