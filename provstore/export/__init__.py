"""A part of the ledger as a package that proves itself: what goes into it, its archive, and its standalone verifier."""
