"""The steps of `pictures.db`, in order."""
