"""Processes that may be killed: where anything untrusted is parsed or evaluated."""
