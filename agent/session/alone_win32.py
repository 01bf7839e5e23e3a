"""The same lock on Windows: a named mutex in the session's own namespace."""

import ctypes
import sys

assert sys.platform == "win32"

_FOR_EVER = 0xFFFFFFFF


def wait_until_alone(name: str) -> object:
    """Wait for the mutex of this sign-in; Windows gives it back when the process ends."""
    kernel32 = ctypes.windll.kernel32
    kernel32.CreateMutexW.restype = ctypes.c_void_p
    mutex = kernel32.CreateMutexW(None, 0, f"Local\\{name}")
    if mutex:
        kernel32.WaitForSingleObject(ctypes.c_void_p(mutex), _FOR_EVER)
    return mutex
