"""The steps by which each file's tables came to be what `collector.store.schema` says."""
