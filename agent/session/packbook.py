"""The packs in force. A malformed one leaves its last good version in force."""

import logging
import pickle
import subprocess
import sys
from collections.abc import Sequence

from agent.session.compile import Built, Wanted, build
from agent.session.memory import give_back
from keywords.matcher import Matcher
from keywords.ranker import Ranker, WeightsError
from wire.event import PackText

COMPILER = (sys.executable, "-m", "agent.session.compile")
MOST_SECONDS = 60.0

log = logging.getLogger(__name__)


class Packbook:
    """Has the matcher built from what policy gave."""

    def __init__(self, compiler: tuple[str, ...] = COMPILER) -> None:
        self._compiler = compiler
        self._given: dict[str, bytes] = {}
        self._good: dict[str, bytes] = {}
        self.matcher = Matcher(())
        self.ranker = _ranker()
        self.problems: tuple[str, ...] = ()
        """What is wrong with the packs last given, in words."""

    def update(self, packs: Sequence[PackText]) -> None:
        """Take the policy's packs. What it no longer has is no longer looked for."""
        texts = {pack.name: pack.text for pack in packs}
        if texts == self._given:
            return
        built = self._build(Wanted(texts, self._good))
        for problem in built.problems:
            log.warning("pack refused: %s", problem)
        before = self._good
        self._given = texts
        self._good = {
            name: texts[name] if name in built.good else self._good[name]
            for name in texts
            if name in built.good or name in self._good
        }
        self.problems = built.problems
        if self._good != before:
            self.matcher = built.matcher

    def _build(self, wanted: Wanted) -> Built:
        """Build in a process apart; here, at the price of memory, if that does not work."""
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                self._compiler,
                input=pickle.dumps(wanted),
                stdout=subprocess.PIPE,
                timeout=MOST_SECONDS,
                check=True,
            )
            built = pickle.loads(done.stdout)  # noqa: S301 - from the child just started
            assert isinstance(built, Built)
        except (OSError, subprocess.SubprocessError, pickle.PickleError, EOFError) as error:
            log.warning("the packs are built here: %s", type(error).__name__)
            built = build(wanted)
        give_back()
        return built


def _ranker() -> Ranker | None:
    """The ranker; without its weights words alone are graded, and the log says so."""
    try:
        return Ranker()
    except WeightsError as error:
        log.error("no ranker: %s", error)
        return None
