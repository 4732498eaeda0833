"""A provenance store for data and AI: PROV-O in, SPARQL out, a tamper-evident ledger beneath."""

__version__ = "0.1.0"
