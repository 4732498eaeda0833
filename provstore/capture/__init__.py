"""Adapters: pure functions from the bytes a producer sent to RDF."""
