"""The rig itself, on a subject as plain as can be: what is durable passes, what is not is caught."""

import pytest

from tests.faults import disk, inject, plain
from tests.faults.disk import Disk
from tests.faults.inject import Fault, Runner
from tests.faults.trial import Outcome, Trial


def cut_power(folder, make, cycles) -> Outcome:
    with Disk(folder) as place:
        trial = Trial(place, make, seed=1, disk_errors=plain.DISK_ERRORS, stop_when_lost=True)
        return trial.run(cycles)


@pytest.mark.root
class TestPower:
    @pytest.fixture(autouse=True)
    def _can(self):
        if reason := disk.why_not():
            pytest.skip(reason)

    def test_a_full_commit_survives_every_cut(self, tmp_path):
        outcome = cut_power(tmp_path, plain.durable, 100)
        assert outcome.clean, outcome
        assert outcome.cycles == 100
        assert outcome.acknowledged > 100
        assert outcome.cut_while_writing > 50, "the cuts must fall while it writes"

    def test_synchronous_off_is_caught(self, tmp_path):
        assert cut_power(tmp_path, plain.synchronous_off, 100).lost

    def test_a_receipt_before_the_commit_is_caught(self, tmp_path):
        assert cut_power(tmp_path, plain.early, 300).lost


@pytest.mark.root
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
class TestKill:
    @pytest.fixture(autouse=True)
    def _can(self):
        if reason := inject.why_not():
            pytest.skip(reason)

    def test_a_full_commit_survives_a_kill_at_any_call(self, tmp_path, call):
        with Runner("tests.faults.plain:durable", Fault(call)) as runner:
            blows = runner.strike_each(tmp_path, plain.durable, range(1, 11))
        assert blows.clean, blows
        assert blows.killed == 10

    def test_a_receipt_before_the_commit_is_caught(self, tmp_path, call):
        with Runner("tests.faults.plain:early", Fault(call)) as runner:
            blows = runner.strike_each(tmp_path, plain.early, range(4, 14))
        # At fdatasync the row is in the log already, and a killed process loses no page
        # cache: that is why a kill alone proves nothing about durability.
        assert bool(blows.lost) is (call == "pwrite64")


@pytest.mark.root
class TestFailedSync:
    """A sync that fails, and then the power goes: what was acknowledged must be there."""

    @pytest.fixture(autouse=True)
    def _can(self):
        if reason := disk.why_not() or inject.why_not():
            pytest.skip(reason)

    @pytest.mark.parametrize(("name", "clean"), [("durable", True), ("synchronous_off", False)])
    def test_what_is_acknowledged_is_durable(self, tmp_path, name, clean):
        fault = Fault("fdatasync", "error=EIO")
        with Disk(tmp_path) as place, Runner(f"tests.faults.plain:{name}", fault) as runner:

            def power_goes() -> None:
                place.cut()
                place.restart()

            make = getattr(plain, name)
            blows = runner.strike_each(place.root, make, range(1, 8), after=power_goes)
        assert blows.clean is clean, blows
        assert bool(blows.failures) is clean, "without a sync nothing can fail"
