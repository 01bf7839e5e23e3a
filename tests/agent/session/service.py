"""A service as the session meets it: a real local socket, and what came over it."""

import contextlib
import threading
import time

from agent.local import LocalError, connect, listen
from tests.agent.session.packs import pack_text
from wire.event import EvidenceRules, Kind
from wire.local import Again, Found, NoShot, Settings, Shot, Taken, Watch, encode_from_session

KINDS = {Found: Kind.EVENT, Again: Kind.REPEAT, Shot: Kind.PICTURE, NoShot: Kind.TOMBSTONE}


class Service:
    """Listens, gives settings, takes what comes (unless `taking` is off)."""

    def __init__(self, path, rules=None, packs=None):
        self.path = path
        self.settings = Settings(
            policy_version=1,
            packs=(pack_text(),) if packs is None else packs,
            evidence=rules or EvidenceRules(),
        )
        self.taking = True
        self.came = []
        self._changed = threading.Condition()
        self._channels = []
        self._listener = None
        self.open()

    def open(self):
        self._listener = listen(self.path)
        threading.Thread(target=self._listener.serve, args=(self._serve,), daemon=True).start()

    def connect(self):
        return connect(self.path)

    def _serve(self, channel):
        self._channels.append(channel)
        with contextlib.suppress(LocalError):
            channel.send(self.settings)
            while True:
                message = channel.receive(None)
                if self.taking and type(message) in KINDS:
                    channel.send(Taken(event=message.event, kind=KINDS[type(message)]))
                with self._changed:
                    self.came.append(message)
                    self._changed.notify_all()

    def say(self, message):
        for channel in self._channels:
            with contextlib.suppress(LocalError):
                channel.send(message)

    def close(self):
        self._listener.close()
        for channel in self._channels:
            channel.close()
        self._channels.clear()

    def all(self, kind):
        with self._changed:
            return [message for message in self.came if isinstance(message, kind)]

    def wait_for(self, kind, wanted=lambda _: True, *, count=1, seconds=15):
        """The first `count` messages of a kind for which `wanted` is true."""
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                found = [one for one in self.came if isinstance(one, kind) and wanted(one)]
                if len(found) >= count:
                    return found
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    seen = [type(one).__name__ for one in self.came]
                    raise AssertionError(f"{kind.__name__} did not come; these did: {seen}")

    def watched(self, *, alive=True, seconds=15):
        return self.wait_for(Watch, lambda one: one.hook_alive is alive, seconds=seconds)[-1]

    def bytes(self):
        """All that was sent, as it was sent."""
        with self._changed:
            return b"".join(encode_from_session(message) for message in self.came)
