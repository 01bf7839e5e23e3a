"""The steps of `keys.db`, in order."""
