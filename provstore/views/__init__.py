"""What is derived from the ledger and can be rebuilt from it: the triple store and the conclusions in it."""
