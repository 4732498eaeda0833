"""Full-text search over what has a name, narrowed by what it is and by what it lacks."""

from provstore.search.searcher import FILTERS, MOST_RESULTS, MOST_WORDS, Found, Request, Searcher, as_json
from provstore.search.terms import Term, expression, parse

__all__ = [
    "FILTERS",
    "MOST_RESULTS",
    "MOST_WORDS",
    "Found",
    "Request",
    "Searcher",
    "Term",
    "as_json",
    "expression",
    "parse",
]
