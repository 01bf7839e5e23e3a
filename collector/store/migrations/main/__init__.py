"""The steps of `main.db`, in order."""
