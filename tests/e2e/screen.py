import sys

from demo import screen

sys.modules[__name__] = screen
