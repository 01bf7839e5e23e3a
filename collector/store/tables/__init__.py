"""The desk's own tables, a file for each room that writes them.

What holds for `collector.store.schema` holds here: the school leads every key, times are
microseconds since 1970, UTC, and nothing that a person wrote about a person lies here in
the clear: it is a row of `sealed_words`, named by its id.
"""

from collector.store.tables import cases, duty, people, quiet, reports, roster, words

__all__ = ["cases", "duty", "people", "quiet", "reports", "roster", "words"]
