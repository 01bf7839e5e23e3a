"""What program a process is, by its id."""

import functools

import psutil


@functools.lru_cache(maxsize=64)
def program(process: int, window: int) -> tuple[str, str]:  # noqa: ARG001 - ids of processes return
    """Name and path of the program, empty where the system does not tell.

    `window` is only part of what is remembered: a process id may come back, not
    with the same window.
    """
    if process <= 0:
        return "", ""
    try:
        running = psutil.Process(process)
        name = running.name()
    except psutil.Error:
        return "", ""
    try:
        return name, running.exe()
    except psutil.Error:
        return name, ""
