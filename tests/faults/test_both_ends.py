"""The durable memories of both ends under power cuts, kills and failing disks.

Promises: 1,000 power cuts and 200 kills at each end (10,000 with --deep), nothing
acknowledged is lost, and nothing has to be repaired by hand. Two mutants are kept, to
show that these tests can fail: `synchronous=OFF`, and a receipt before the commit.
"""

import importlib

import pytest

from tests.faults import disk, inject
from tests.faults.disk import Disk
from tests.faults.inject import Fault, Runner
from tests.faults.trial import Trial

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
ENDS = ("agent_spool", "collector_files")


@pytest.fixture(params=ENDS)
def end(request):
    return importlib.import_module(f"tests.faults.{request.param}")


@pytest.fixture
def power():
    if reason := disk.why_not():
        pytest.skip(reason)


@pytest.fixture
def strace():
    if reason := inject.why_not():
        pytest.skip(reason)


def cut_power(folder, end, make, cycles, **how):
    with Disk(folder, megabytes=256) as place:
        trial = Trial(place, make, seed=20, disk_errors=end.DISK_ERRORS, longest=end.LONGEST, **how)
        return trial.run(cycles)


@pytest.mark.usefixtures("power")
class TestPowerCuts:
    def test_a_thousand_lose_nothing_acknowledged(self, tmp_path, end):
        outcome = cut_power(tmp_path, end, end.power, 1_000)
        assert outcome.clean, outcome
        assert outcome.cycles == 1_000
        assert outcome.acknowledged >= 500
        assert outcome.cut_while_writing >= 500, "the cuts must fall while it writes"

    def test_cuts_while_it_is_first_made_need_no_repair(self, tmp_path, end):
        outcome = cut_power(tmp_path, end, end.first_start, 20, fresh_each=1)
        assert outcome.clean, outcome

    @pytest.mark.parametrize("mutant", ["synchronous_off", "early"])
    def test_the_kept_mutants_are_caught(self, tmp_path, end, mutant):
        make = getattr(end, mutant)
        assert cut_power(tmp_path, end, make, 200, stop_when_lost=True).lost


@pytest.mark.usefixtures("strace")
class TestKills:
    @pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
    def test_a_hundred_lose_nothing_acknowledged(self, tmp_path, end, call):
        blows = strike(tmp_path, end, Fault(call), 100)
        assert blows.clean, blows
        assert blows.killed == 100

    @pytest.mark.deep
    @pytest.mark.timeout(7200)
    @pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
    def test_five_thousand_lose_nothing_acknowledged(self, tmp_path, end, call):
        blows = strike(tmp_path, end, Fault(call), 5_000)
        assert blows.clean, blows
        assert blows.killed == 5_000


@pytest.mark.usefixtures("strace")
class TestFailures:
    @pytest.mark.usefixtures("power")
    @pytest.mark.parametrize(
        "fault",
        [
            Fault("fdatasync", "error=EIO"),
            Fault("fdatasync", "error=ENOSPC"),
            Fault("pwrite64", "error=EIO"),
            Fault("pwrite64", "error=ENOSPC"),
            Fault("fdatasync", "error=EIO", ever_after=True),
            Fault("pwrite64", "error=ENOSPC", ever_after=True),
        ],
        ids=str,
    )
    def test_a_failing_call_is_never_acknowledged_over(self, tmp_path, end, fault):
        with Disk(tmp_path, megabytes=256) as place:

            def power_goes():
                place.cut()
                place.restart()

            blows = strike(place.root, end, fault, 16, after=power_goes)
        assert blows.clean, blows
        assert blows.failures, "a failure that nobody noticed"
        assert blows.acknowledged


def strike(folder, end, fault, times, **how):
    """Strike at one call after the other, while it opens and while it writes."""
    place = folder / "struck"
    place.mkdir()
    with Runner(f"{end.__name__}:durable", fault) as runner:
        last = end.STRIKES[fault.call]
        moments = (1 + number * 7 % last for number in range(times))
        return runner.strike_each(place, end.durable, moments, **how)
