"""Pulling: what other tools keep behind a network or in files, made into payloads; no RDF is made here."""
