"""The login behind a SID."""

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"

_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel32.LocalFree.argtypes = (ctypes.c_void_p,)
_kernel32.LocalFree.restype = ctypes.c_void_p


def login_of(sid: str) -> str:
    r"""Give `DOMAIN\name`, or nothing where the system does not know it."""
    binary = ctypes.c_void_p()
    if not _advapi32.ConvertStringSidToSidW(ctypes.c_wchar_p(sid), ctypes.byref(binary)):
        return ""
    try:
        name = ctypes.create_unicode_buffer(257)
        domain = ctypes.create_unicode_buffer(257)
        name_size, domain_size = wintypes.DWORD(257), wintypes.DWORD(257)
        use = wintypes.DWORD()
        found = _advapi32.LookupAccountSidW(
            None,
            binary,
            name,
            ctypes.byref(name_size),
            domain,
            ctypes.byref(domain_size),
            ctypes.byref(use),
        )
        return f"{domain.value}\\{name.value}" if found else ""
    finally:
        _kernel32.LocalFree(binary)
