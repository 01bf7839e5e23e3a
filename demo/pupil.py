"""A pupil's window, and the keys that are pressed in it."""

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.screen import CHROMIUM_FLAGS, Screen

PAGE = Path(__file__).with_name("chat.html")
TITLE = "Year 9 study chat"
WORDS = "im fine. actually no. i want to kill myself "


@contextlib.contextmanager
def chatting(screen: Screen) -> Iterator[None]:
    """A browser window with a message box under the caret."""
    with (
        _site() as address,
        tempfile.TemporaryDirectory(prefix="pupil-", ignore_cleanup_errors=True) as profile,
    ):
        browser = screen.run(
            "chromium",
            *CHROMIUM_FLAGS,
            "--force-renderer-accessibility",
            "--window-size=1280,900",
            f"--user-data-dir={profile}",
            "--test-type",  # without its bar about the sandbox
            f"--app={address}/{PAGE.name}",
            GNOME_ACCESSIBILITY="1",
            TMPDIR=profile,  # where it leaves a socket when it is ended
        )
        try:
            screen.wait_for_window(TITLE, by="--name")
            yield
        finally:
            screen.stop(browser)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing on the terminal."""


@contextlib.contextmanager
def _site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(PAGE.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
