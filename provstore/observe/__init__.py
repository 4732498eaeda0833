"""What can be seen of a running program: files and their digests, code, environment. Standard library only.

The wheel of `provstore-mlflow` takes these modules in under its own name, so nothing here may import provstore but
`provstore.observe`.
"""
