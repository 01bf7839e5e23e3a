"""Key presses to the text of one window, and its matches. Pure: no clock, no platform.

Invariants of `WindowText`:

- `_chars` is the text as the keys made it, at most `LIMIT` characters; the oldest go first.
- `_states[i]` is the matcher's state after `i` of them, for as many as are known:
  always up to the caret. So backspace pops a state, and an edit in the middle
  cuts the stack there; what stands behind the caret is read again at the pause.
- `_base` is how many characters went before the first that is kept: the matcher
  counts from there on, so its offsets stay true after the oldest were dropped.
- A match is reported once for one term at one start; edits before it move that
  start along, deleting its first character forgets it.

Where a key or a click moves the caret to a place that only the application
knows, the text goes on at its end behind a `MARK`, which parts words but is no
letter, and a note says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from agent.session.sources.events import Key, Press
from keywords.matcher import Match, State

LIMIT = 2000
"""Characters of one window kept in memory."""
MARK = "\u2028"
"""LINE SEPARATOR: parts what was typed before and after an unknown move of the caret."""

MOUSE_NOTE = "caret moved by mouse"
KEYS_NOTE = "caret moved by a key to where only the application knows"
UNDO_NOTE = "something was undone or redone"
CUT_NOTE = "a paste was longer than is looked at"

_TRIM = LIMIT // 10
_LINE_ENDS = frozenset(("\n", MARK))


class Stepper(Protocol):
    """What is asked of a matcher; `keywords.matcher.Matcher` is the real one."""

    @property
    def start(self) -> State:
        """The state before the first character."""
        ...

    def step(self, state: State, char: str, /) -> tuple[State, tuple[Match, ...]]:
        """The state after one more character, and the matches that it completes."""
        ...

    def settle(self, state: State, /) -> tuple[Match, ...]:
        """The matches that a word boundary would complete here."""
        ...


@dataclass(frozen=True, slots=True)
class Sighting:
    """A match, and the text in which it stands."""

    match: Match | None
    """Its offsets count in `text`; none where the text alone was found, by its pattern."""
    text: str
    pasted: bool
    """Whether some of the matched characters came from the clipboard."""
    notes: tuple[str, ...]
    """What is known to be missing or unsure in the text, in words."""


class WindowText:
    """What was typed in one window."""

    def __init__(self, matcher: Stepper) -> None:
        self._matcher = matcher
        self._chars: list[str] = []
        self._pasted = bytearray()
        self._states: list[State] = [matcher.start]
        self._caret = 0
        self._anchor: int | None = None
        self._base = 0
        self._reported: dict[tuple[str, str], set[int]] = {}
        self._notes: dict[str, None] = {}

    @property
    def text(self) -> str:
        """The text as it stands."""
        return "".join(self._chars)

    def line(self) -> Sighting:
        """The line that the caret is in, as something to be judged by its pattern."""
        start = end = self._caret
        while start and self._chars[start - 1] not in _LINE_ENDS:
            start -= 1
        while end < len(self._chars) and self._chars[end] not in _LINE_ENDS:
            end += 1
        return Sighting(
            match=None,
            text="".join(self._chars[start:end]),
            pasted=any(self._pasted[start:end]),
            notes=tuple(self._notes),
        )

    @property
    def caret(self) -> int:
        """Where the next character goes."""
        return self._caret

    def press(self, press: Press) -> list[Sighting]:
        """Take one key press; the matches that it completes."""
        if press.text:
            if len(press.text) == 1 and self._anchor is None and self._caret == len(self._chars):
                return self._append(press.text)
            return self._insert(press.text, pasted=False)
        if press.key is not None:
            return _KEYS[press.key](self, press)
        return self._shortcut(press.shortcut) if press.shortcut else []

    def paste(self, text: str) -> list[Sighting]:
        """Insert what the clipboard held. Not more than `LIMIT` characters are looked at."""
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(plain) > LIMIT:
            self.note(CUT_NOTE)
        return self._insert(plain[:LIMIT], pasted=True)

    def jump(self, note: str) -> list[Sighting]:
        """The caret went to an unknown place."""
        self._anchor = None
        self._caret = len(self._chars)
        if not self._chars:
            return []
        self.note(note)
        found = self._read_on()
        return found if self._chars[-1] == MARK else found + self._append(MARK)

    def note(self, words: str) -> None:
        """State a gap in the text."""
        self._notes[words] = None

    def clear(self) -> None:
        """Forget the text: another field, a lock, a wipe."""
        self._chars.clear()
        self._pasted.clear()
        self._states = [self._matcher.start]
        self._caret = self._base = 0
        self._anchor = None
        self._reported.clear()
        self._notes.clear()

    def use(self, matcher: Stepper) -> list[Sighting]:
        """Other packs are in force: what they find in the text as it stands."""
        self._matcher = matcher
        self._states = [matcher.start]
        self._reported = {
            term: {at - self._base for at in places} for term, places in self._reported.items()
        }
        self._base = 0
        return self._read_on(self._caret)

    def settle(self) -> list[Sighting]:
        """A pause: the matches that stand complete now, those behind the caret among them."""
        found = self._read_on()
        return found + self._sight(self._matcher.settle(self._states[-1]))

    def _append(self, char: str) -> list[Sighting]:
        """Type one character at the end: the way of nearly every key, kept short."""
        state, matches = self._matcher.step(self._states[-1], char)
        self._chars.append(char)
        self._pasted.append(0)
        self._states.append(state)
        self._caret += 1
        if self._caret > LIMIT:
            self._trim()
        return self._sight(matches) if matches else []

    def _insert(self, text: str, *, pasted: bool) -> list[Sighting]:
        self._delete_selection()
        at, length = self._caret, len(text)
        if at < len(self._chars):
            self._move_reported(at, at, length)
        del self._states[at + 1 :]
        self._chars[at:at] = text
        self._pasted[at:at] = bytes([pasted]) * length
        self._caret = at + length
        found = self._read_on(self._caret)
        self._trim()
        return found

    def _read_on(self, to: int | None = None) -> list[Sighting]:
        """Step the matcher over what it has not read yet, up to `to`."""
        states, step = self._states, self._matcher.step
        found: list[Match] = []
        for char in self._chars[len(states) - 1 : to]:
            state, matches = step(states[-1], char)
            states.append(state)
            found.extend(matches)
        return self._sight(found)

    def _trim(self) -> None:
        if len(self._chars) <= LIMIT:
            return
        cut = len(self._chars) - LIMIT + _TRIM
        if self._caret < cut:  # an edit near the start: what stands far behind it goes first
            end = max(self._caret, len(self._chars) - cut)
            del self._chars[end:], self._pasted[end:], self._states[end + 1 :]
            self._move_reported(end, end + 2 * LIMIT, 0)
            cut = max(0, end - LIMIT)
        del self._chars[:cut], self._pasted[:cut], self._states[:cut]
        self._base += cut
        self._forget_reported()
        self._caret -= cut
        if self._anchor is not None:
            self._anchor = max(0, self._anchor - cut)

    def _delete(self, start: int, end: int) -> None:
        self._anchor = None
        self._caret = start
        if start == end:
            return
        del self._chars[start:end], self._pasted[start:end], self._states[start + 1 :]
        if self._reported:
            self._move_reported(start, end, start - end)
        if not self._chars:
            self.clear()

    def _move_reported(self, start: int, end: int, by: int) -> None:
        """Starts from `end` on move; those from `start` to `end` were deleted."""
        low, high = start + self._base, end + self._base
        self._reported = {
            term: {at if at < low else at + by for at in places if at < low or at >= high}
            for term, places in self._reported.items()
        }

    def _forget_reported(self) -> None:
        """What began long before the text that is kept cannot match once more."""
        self._reported = {
            term: kept
            for term, places in self._reported.items()
            if (kept := {at for at in places if at >= self._base - LIMIT})
        }

    def _delete_selection(self) -> bool:
        if self._anchor is None:
            return False
        start, end = sorted((self._anchor, self._caret))
        self._delete(start, end)
        return start != end

    def _sight(self, matches: Iterable[Match]) -> list[Sighting]:
        sightings = []
        for match in matches:
            places = self._reported.setdefault((match.pack.name, match.term.id), set())
            if match.start in places:
                continue
            places.add(match.start)
            start, end = max(0, match.start - self._base), max(0, match.end - self._base)
            sightings.append(
                Sighting(
                    match=replace(match, start=start, end=end),
                    text=self.text,
                    pasted=any(self._pasted[start:end]),
                    notes=tuple(self._notes),
                )
            )
        return sightings

    def _backspace(self, press: Press) -> list[Sighting]:
        if not self._delete_selection():
            start = self._word_left() if press.control else max(0, self._caret - 1)
            self._delete(start, self._caret)
        return []

    def _delete_key(self, press: Press) -> list[Sighting]:
        if not self._delete_selection():
            end = self._word_right() if press.control else min(len(self._chars), self._caret + 1)
            self._delete(self._caret, end)
        return []

    def _enter(self, press: Press) -> list[Sighting]:  # noqa: ARG002 - one signature for all keys
        return self._insert("\n", pasted=False)

    def _tab(self, press: Press) -> list[Sighting]:
        if press.shift:
            return self._unknown(press)
        return self._insert("\t", pasted=False)

    def _left(self, press: Press) -> list[Sighting]:
        if self._anchor is not None and not press.shift:
            return self._move(min(self._anchor, self._caret), press)
        return self._move(self._word_left() if press.control else max(0, self._caret - 1), press)

    def _right(self, press: Press) -> list[Sighting]:
        if self._anchor is not None and not press.shift:
            return self._move(max(self._anchor, self._caret), press)
        one = min(len(self._chars), self._caret + 1)
        return self._move(self._word_right() if press.control else one, press)

    def _home(self, press: Press) -> list[Sighting]:
        to = 0 if press.control else self._caret
        while to and self._chars[to - 1] not in _LINE_ENDS:
            to -= 1
        return self._move(to, press)

    def _end(self, press: Press) -> list[Sighting]:
        to = len(self._chars) if press.control else self._caret
        while to < len(self._chars) and self._chars[to] not in _LINE_ENDS:
            to += 1
        return self._move(to, press)

    def _unknown(self, press: Press) -> list[Sighting]:  # noqa: ARG002 - one signature for all keys
        return self.jump(KEYS_NOTE)

    def _nothing(self, press: Press) -> list[Sighting]:  # noqa: ARG002 - one signature for all keys
        return []

    def _move(self, to: int, press: Press) -> list[Sighting]:
        if not press.shift:
            self._anchor = None
        elif self._anchor is None:
            self._anchor = self._caret
        self._caret = to
        if self._anchor == to:
            self._anchor = None
        return self._read_on(to)  # what stands before the caret has been read

    def _word_left(self) -> int:
        to = self._caret
        while to and not self._chars[to - 1].isalnum():
            to -= 1
        while to and self._chars[to - 1].isalnum():
            to -= 1
        return to

    def _word_right(self) -> int:
        to, end = self._caret, len(self._chars)
        while to < end and not self._chars[to].isalnum():
            to += 1
        while to < end and self._chars[to].isalnum():
            to += 1
        return to

    def _shortcut(self, letter: str) -> list[Sighting]:
        if letter == "a" and self._chars:
            self._anchor, self._caret = 0, len(self._chars)
            return self._read_on()
        if letter == "x":
            self._delete_selection()
        elif letter in ("z", "y"):
            return self.jump(UNDO_NOTE)
        return []


_KEYS: dict[Key, Callable[[WindowText, Press], list[Sighting]]] = {
    Key.BACKSPACE: WindowText._backspace,  # noqa: SLF001 - the class's own table
    Key.DELETE: WindowText._delete_key,  # noqa: SLF001
    Key.LEFT: WindowText._left,  # noqa: SLF001
    Key.RIGHT: WindowText._right,  # noqa: SLF001
    Key.UP: WindowText._unknown,  # noqa: SLF001
    Key.DOWN: WindowText._unknown,  # noqa: SLF001
    Key.HOME: WindowText._home,  # noqa: SLF001
    Key.END: WindowText._end,  # noqa: SLF001
    Key.PAGE_UP: WindowText._unknown,  # noqa: SLF001
    Key.PAGE_DOWN: WindowText._unknown,  # noqa: SLF001
    Key.ENTER: WindowText._enter,  # noqa: SLF001
    Key.TAB: WindowText._tab,  # noqa: SLF001
    Key.INSERT: WindowText._nothing,  # noqa: SLF001
    Key.ESCAPE: WindowText._nothing,  # noqa: SLF001
}
