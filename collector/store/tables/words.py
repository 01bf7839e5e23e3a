"""Tables of sealed words: what staff write about a person, and names."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from collector.store.schema import keys, main

sealed_words = Table(
    "sealed_words",
    main,
    Column("school", String, primary_key=True),
    Column("words", LargeBinary, primary_key=True),  # UUIDv7
    Column("kind", String, nullable=False),  # collector.sealed.Kind
    Column("about", String, nullable=False),  # 'alert:UUID', 'incident:UUID', 'person:…', …
    Column("key_id", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),  # without its encapsulated key
    Column("written_by", String, nullable=False),  # a staff id, or 'system'
    Column("written_at", Integer, nullable=False),
)
Index("sealed_words_about", sealed_words.c.school, sealed_words.c.about)

word_keys = Table(  # in keys.db: destroying a row erases the words in every copy
    "word_keys",
    keys,
    Column("school", String, primary_key=True),
    Column("words", LargeBinary, primary_key=True),
    Column("enc", LargeBinary, nullable=False),  # 32 bytes
    Column("kept_at", Integer, nullable=False),
    sqlite_with_rowid=False,
)
