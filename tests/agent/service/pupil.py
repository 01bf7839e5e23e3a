"""`python -m tests.agent.service.pupil UID VERB …`: what another account tries, printed.

A program of its own, since a process that runs gRPC cannot fork. It loads all it needs
before it becomes the pupil, who may not read where Python is installed.
"""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

from agent.books.opening import open_book
from agent.local import connect, unix
from wire.local import SessionHello, decode_from_session

_PTRACE_ATTACH = 16
_LOADED = (unix, decode_from_session)


def steal(state, pid):
    """Read what is the service's: give what could be read."""
    taken = []
    paths = [Path(state) / name for name in ("device.key", "spool.db", "identity.json", ".")]
    paths += [Path("/proc") / pid / name for name in ("mem", "maps", "environ", "fd")]
    for path in paths:
        with contextlib.suppress(OSError):
            taken.append(list(path.iterdir()) if path.is_dir() else path.open("rb").read(10))
    return taken


def attack(pid):
    """Trace it, then kill it."""
    traced = ctypes.CDLL(None, use_errno=True).ptrace(_PTRACE_ATTACH, int(pid), 0, 0)
    try:
        os.kill(int(pid), 9)
    except PermissionError:
        return f"ptrace {traced}, not killed"
    return "killed"


def send(path, *frames):
    """Say hello, then send these frames (hexadecimal); give the answers."""
    channel = connect(path)
    channel.send(SessionHello(version="0.1.0", pid=1))
    channel.receive(5)
    answers = []
    for raw in frames:
        channel.send(decode_from_session(bytes.fromhex(raw)))
        answer = channel.receive(10)
        answers.append(f"{type(answer).__name__}: {getattr(answer, 'words', '')}".strip(": "))
    return "\n".join(answers)


def spoil(folder):
    """Read the books, then try to write, replace, remove and add one; give what came of each."""
    (book,) = Path(folder).glob("*.book")
    tried = {
        "read": lambda: open_book(str(book), {0}),
        "write": lambda: book.open("r+b"),
        "mode": lambda: book.chmod(0o666),
        "remove": book.unlink,
        "replace": lambda: Path("/dev/null").rename(book),
        "link": lambda: (book.parent / "x.book").symlink_to("/etc/passwd"),
        "add": (book.parent / "x.book").touch,
        "open up": lambda: book.parent.chmod(0o777),
    }
    done = []
    for name, attempt in tried.items():
        with contextlib.suppress(OSError):
            attempt()
            done.append(name)
    return done


VERBS = {"spoil": spoil, "steal": steal, "attack": attack, "send": send}


def main():
    """Become the account, and try."""
    uid, verb, *rest = sys.argv[1:]
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    print(VERBS[verb](*rest))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
