"""The rig itself, on a subject as plain as can be: what is durable passes, what is not is caught."""

import pytest

from tests.faults import plain
from tests.faults.disk import Disk, why_not
from tests.faults.inject import Fault, Runner
from tests.faults.trial import Outcome, Trial


def cut_power(folder, make, cycles) -> Outcome:
    with Disk(folder) as disk:
        trial = Trial(disk, make, seed=1, disk_errors=plain.DISK_ERRORS, stop_when_lost=True)
        return trial.run(cycles)


@pytest.mark.root
class TestPower:
    @pytest.fixture(autouse=True)
    def _can(self):
        if reason := why_not():
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


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
class TestKill:
    def test_a_full_commit_survives_a_kill_at_any_call(self, tmp_path, call):
        with Runner("tests.faults.plain:durable", Fault(call)) as runner:
            outcome = runner.kill_each(tmp_path, plain.durable, range(1, 11))
        assert outcome.clean, outcome
        assert outcome.killed == 10

    def test_a_receipt_before_the_commit_is_caught(self, tmp_path, call):
        with Runner("tests.faults.plain:early", Fault(call)) as runner:
            outcome = runner.kill_each(tmp_path, plain.early, range(4, 14))
        # At fdatasync the row is in the log already, and a killed process loses no page
        # cache: that is why a kill alone proves nothing about durability.
        assert bool(outcome.lost) is (call == "pwrite64")
