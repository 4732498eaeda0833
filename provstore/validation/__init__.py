"""Whether a record says what it should, in a way that can be relied on: SHACL shapes, grouped in profiles."""
