"""The append-only Merkle log: the commit point, and the only truth."""
