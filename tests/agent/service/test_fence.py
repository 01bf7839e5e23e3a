import os

import pytest

from agent.service.identity import IdentityError
from tests.agent.service.conftest import Pc
from tests.agent.service.simulator import Collector


def mode(path):
    return path.stat().st_mode & 0o777


def test_what_stands_open_is_closed_and_said_and_the_pc_goes_on(pc, collector, place):
    place.chmod(0o777)
    (place / "device.key").chmod(0o644)
    pc.start()
    assert mode(place) & 0o022 == 0
    assert mode(place / "device.key") == 0o600
    notes = pc.status()["spool"]["notes"]
    assert any("could be written by other accounts" in note for note in notes)
    assert any("enrol it again" in note for note in notes)
    collector.wait(lambda c: c.beats)
    pc.stop()
    pc.start()
    assert pc.status()["spool"]["notes"] == notes


@pytest.mark.root
def test_a_directory_of_another_account_is_refused_in_words(pc, place):
    os.chown(place, 61_001, 61_001)
    try:
        with pytest.raises(IdentityError, match="belongs to another account"):
            pc.start()
    finally:
        os.chown(place, 0, 0)


def test_two_services_on_one_state_directory(pc, school, place):
    pc.start()
    second = Pc(place)
    with pytest.raises(Exception, match="another process has the spool"):
        second.start()
    assert pc.status()["device"] == "pc-1"


def test_two_services_on_one_socket(pc, school, place, tmp_path):
    pc.start()
    other = Collector(school)
    school.enrol(tmp_path / "state", port=other.port)
    second = Pc(tmp_path / "state")
    second.settings = type(pc.settings)(
        state=str(tmp_path / "state"), socket=pc.settings.socket, spool_mib=16, spool_reserve_mib=4
    )
    with pytest.raises(Exception, match="another service listens"):
        second.start()
    other.stop()
    session = pc.session()
    session.hello()
    session.close()
