"""Presses keys at an even pace, innocent ones, until it is killed: DISPLAY KEYS_A_SECOND."""

import itertools
import sys
import time

from benchmarks.keys import Keyboard

TEXT = "the heron waits by the water and the boats go out with the tide\n"


def main() -> None:
    """Type for ever."""
    with Keyboard(sys.argv[1]) as keyboard:
        pause = 1 / float(sys.argv[2])
        due = time.monotonic()
        for character in itertools.cycle(TEXT):
            keyboard.press(character)
            due += pause
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
