"""The packs in force: from the book that the service keeps, or made here, in a process apart.

A malformed pack leaves its last good version in force, and a book that is refused the matcher
that there was; the service hears why, and sends the packs themselves.
"""

import logging
from collections.abc import Sequence

from agent.books.make import COMMAND, MakeError, Maker, Report, Wanted, read_packs
from agent.books.opening import BookRefused, open_book
from agent.session.memory import give_back
from keywords.arrayfile import ArrayFileError
from keywords.bookfile import read_book
from keywords.matcher import Matcher
from keywords.ranker import Ranker, WeightsError
from keywords.termbook import TermBook, make_book
from wire.event import PackText

_MOST_WORDS = 500

log = logging.getLogger(__name__)


class Packbook:
    """Has the matcher of what policy gave."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._maker = Maker(command)
        self._book = ""
        self._given: dict[str, bytes] = {}
        self._good: dict[str, bytes] = {}
        self.matcher = Matcher(())
        self.ranker = _ranker()
        self.problems: tuple[str, ...] = ()
        """What is wrong with the packs last given, in words."""
        self.refused = ""
        """Why the book last given is not used; empty: it is, or there was none."""

    def open(self, path: str, service: str) -> None:
        """Take a book of the policy's packs; `service` is whose it may be besides root, a uid."""
        if path == self._book:
            return
        try:
            book = open_book(path, {0, int(service)} if service.isdecimal() else {0})
        except BookRefused as error:
            self.refused = str(error)[:_MOST_WORDS]
            log.warning("book refused: %s", error)
            return
        self._book, self.refused, self.problems = path, "", ()
        self._given, self._good = {}, {}
        self.matcher = Matcher(book)

    def update(self, packs: Sequence[PackText]) -> None:
        """Take the policy's packs. What it no longer has is no longer looked for."""
        texts = {pack.name: pack.text for pack in packs}
        if texts == self._given and not self._book:
            return
        report, book = self._make(Wanted(texts, self._good))
        for problem in report.problems:
            log.warning("pack refused: %s", problem)
        before = self._good
        self._given = texts
        self._good = {
            name: texts[name] if name in report.good else self._good[name]
            for name in texts
            if name in report.good or name in self._good
        }
        self.problems = report.problems
        if self._good != before or self._book:
            self.matcher = Matcher(book)
        self._book = ""

    def _make(self, wanted: Wanted) -> tuple[Report, TermBook]:
        """Make it in a process apart; here, at the price of memory, if that does not work."""
        try:
            report, made = self._maker.make(wanted)
            book = read_book(made)
        except (
            MakeError,
            ArrayFileError,
        ) as error:  # it may be of a release that was just installed
            log.warning("the packs are made ready here: %s", error)
            packs, report = read_packs(wanted)
            book = make_book(packs)
        give_back()
        return report, book


def _ranker() -> Ranker | None:
    """The ranker; without its weights words alone are graded, and the log says so."""
    try:
        return Ranker()
    except WeightsError as error:
        log.error("no ranker: %s", error)  # noqa: TRY400 - its words say all
        return None
