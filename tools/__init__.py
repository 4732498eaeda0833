"""Tools for those who work on provstore; not shipped."""
