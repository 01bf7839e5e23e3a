"""The desk's own tables, a file for each room that writes them, and each file's metadata in whole.

What holds for `collector.store.schema` holds here: the school leads every key, times are
microseconds since 1970, UTC. Nothing that a person wrote about a person lies here in the
clear: it is a row of `sealed_words`, named by its id.
"""

from collector.store.schema import keys, main, pictures
from collector.store.tables import words

__all__ = ["keys", "main", "pictures", "words"]
