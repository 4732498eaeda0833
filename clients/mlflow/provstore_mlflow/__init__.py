"""Tells an MLflow server where the data of each run came from, without a change to the training code."""

__version__ = "0.1.0"
