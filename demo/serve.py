"""Serve an empty school on this machine until stopped, for looking around and enrolling PCs."""

import signal
import sys

from demo.__main__ import Teller, invite, wait
from demo.school import School, SchoolError


def main() -> int:
    """Set up a school in a new folder, serve it, and remove it when stopped."""
    say = Teller()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with School(say=say) as school:
            school.set_up()
            school.serve()
            said = school.token(room="Lab 1")
            say("enrol an agent of this machine with")
            say(f"    redshank-agent enrol --server {said['server']} --token {said['token']}")
            invite(school, say)
            wait()
    except KeyboardInterrupt:
        pass
    except SchoolError as error:
        print(f"The school is not served: {error}", file=sys.stderr)
        return 1
    say("stopped; nothing was left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
