"""What holds for every test: the deep ones on request, and no silent skip where it counts.

A test marked `root`, `screen` or `browser` says what it needs; where that is missing it
is skipped, and in CI (`CI=true`) the skip is a failure, so that green means tested.
"""

import os
import shutil
import sys

import pytest
from hypothesis import HealthCheck, settings

from demo.school import BOOKS
from wire.tls import require_tls13

# gRPC reads its settings when it is imported, and the tests of both ends import it.
require_tls13()

# The packs made ready, once for all tests: each service that is started finds them here.
os.environ["REDSHANK_BOOKS"] = str(BOOKS)

settings.register_profile(
    "quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=5_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("quick")

_DEEP = pytest.StashKey[bool]()
_NEEDED = ("root", "screen", "browser")
_SCREEN = ("Xvfb", "openbox", "xdotool")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser):
    parser.addoption(
        "--deep", action="store_true", help="run the long tests, and hypothesis at length"
    )


def pytest_configure(config):
    if config.getoption("--deep"):
        settings.load_profile("deep")


def pytest_runtest_setup(item):
    if item.get_closest_marker("deep") and not item.config.getoption("--deep"):
        item.stash[_DEEP] = True
        pytest.skip("long: runs with --deep")
    if item.get_closest_marker("root") and not _is_root():
        pytest.skip("needs root")
    if item.get_closest_marker("screen"):
        missing = [name for name in _SCREEN if shutil.which(name) is None]
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")
    if item.get_closest_marker("browser") and not any(map(shutil.which, _BROWSERS)):
        pytest.skip("needs Chromium")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    counts = any(item.get_closest_marker(name) for name in _NEEDED)
    if report.skipped and counts and _in_ci() and not item.stash.get(_DEEP, False):
        if hasattr(report, "wasxfail"):
            return report
        where = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing of this kind may be: {where}"
    return report


def _is_root():
    return sys.platform != "win32" and os.geteuid() == 0


def _in_ci():
    return os.environ.get("CI", "").lower() in {"1", "true"}
