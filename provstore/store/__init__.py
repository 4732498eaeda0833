"""The triple store behind SPARQL, and the killable workers that ask it."""
