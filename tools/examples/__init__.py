"""The repetitive part of the worked examples: `make examples` writes it, a test holds the files to it.

What a person would write stands in `examples/` by hand; what machines send night after night is made here, from tables
of days, models and applications. The same tables always give the same bytes.
"""
