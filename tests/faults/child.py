"""The process that strace holds: it forks one writer for each line on standard input.

A line is JSON: {"subject": "module:name", "folder": path, "burn": n, "from": number,
"count": n, "call": system call}. The writer spends `burn` calls of the kind that is
to fail on a file of no interest, so that one strace, which always strikes at the same
count, can strike anywhere. Answers: `ack N`, `failed WORDS`, then `end STATUS`.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any


def main() -> None:
    """Serve until standard input ends. The subject's module is imported once, before any fork."""
    make = _named(sys.argv[1])
    _say("ready")
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                _write(make, task)
                status = 0
            finally:
                os._exit(status)
        _, code = os.waitpid(child, 0)
        _say(f"end {os.waitstatus_to_exitcode(code)}")


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _write(make: Any, task: dict[str, Any]) -> None:
    burn(task["call"], task["burn"])
    try:
        subject = make(Path(task["folder"]))
    except Exception as error:  # noqa: BLE001  # it may be struck while it opens
        _say(f"failed 0 {type(error).__name__}: {error}"[:300].replace("\n", " "))
        return
    for number in range(task["from"], task["from"] + task["count"]):
        try:
            subject.write(number, lambda item: _say(f"ack {item}"))
        except Exception as error:  # noqa: BLE001  # what a subject says of a failed disk
            _say(f"failed {number} {type(error).__name__}: {error}"[:300].replace("\n", " "))
    subject.close()


def burn(call: str, count: int) -> None:
    """Make `count` harmless calls of one kind."""
    with tempfile.TemporaryFile() as scratch:
        one = {
            "pwrite64": lambda: os.pwrite(scratch.fileno(), b"0", 0),
            "fdatasync": lambda: os.fdatasync(scratch.fileno()),
            "fsync": lambda: os.fsync(scratch.fileno()),
            "ftruncate": lambda: os.ftruncate(scratch.fileno(), 0),
        }[call]
        for _ in range(count):
            one()


def _say(words: str) -> None:
    os.write(1, words.encode() + b"\n")


if __name__ == "__main__":
    main()
