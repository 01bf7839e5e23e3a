"""Keep the session's memory small: give back what one picture took."""

import ctypes
import gc
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 256 * 1024


def prepare() -> None:
    """Have the C library give each large block back at once, and share one heap."""
    if sys.platform == "linux":
        library = _libc()
        if library is not None:
            # Fixed, it no longer grows with the first picture that is freed.
            library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
            library.mallopt(_M_TRIM_THRESHOLD, _LARGE)
            library.mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory to the system."""
    gc.collect()
    if sys.platform == "linux":
        library = _libc()
        if library is not None:
            library.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    """The GNU C library, None where it is another one."""
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
