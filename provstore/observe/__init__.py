"""What can be seen of a host from inside it: bytes of files, state of the code, environment. Only the standard library.

Nothing here raises to the host: what cannot be seen is told as such.
"""
