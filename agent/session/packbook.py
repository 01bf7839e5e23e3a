"""The packs in force. A malformed one leaves its last good version in force."""

import logging
from collections.abc import Sequence

from wire.event import PackText

from agent.session.memory import give_back
from keywords.matcher import Matcher
from keywords.pack import Pack, PackError, parse_pack

log = logging.getLogger(__name__)


class Packbook:
    """Parses what the policy gave, and builds the matcher."""

    def __init__(self) -> None:
        self._packs: dict[str, Pack] = {}
        self.matcher = Matcher(())
        self.problems: tuple[str, ...] = ()
        """What is wrong with the packs last given, in words."""

    def update(self, texts: Sequence[PackText]) -> None:
        """Take the policy's packs. What it no longer has is no longer looked for."""
        packs: dict[str, Pack] = {}
        problems = []
        for text in texts:
            try:
                packs[text.name] = parse_pack(text.text, name=text.name)
            except PackError as error:
                problems.append(f"{text.name}: {error}")
                log.warning("pack refused: %s", problems[-1])
                if text.name in self._packs:
                    packs[text.name] = self._packs[text.name]
        self.problems = tuple(problems)
        if packs != self._packs:
            self._packs = packs
            self.matcher = Matcher(tuple(packs.values()))
            give_back()  # building takes several times what stays
