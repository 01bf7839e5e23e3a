import sys

from demo import school

sys.modules[__name__] = school
