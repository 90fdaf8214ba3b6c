"""What holds for a whole run of the tests, wherever it is started from.

Signals reach the programs under test, property tests have no deadline (a busy machine is no failure) and try the same
examples every time, what kubectl and Helm remember of servers goes with the run, and the machine's packet forwarding is
afterwards as it was before. Other examples each time: `--hypothesis-profile=explore`.

`make test` runs two processes (scripts/test.sh). Only the one that has tests marked `root` looks whether the machine is
left as it was.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.javascript import INSTALLING, Javascript
from tests.support.machine import CLAIMS, FORWARDING

settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("skerry", settings.get_profile("explore"), derandomize=True)
settings.load_profile("skerry")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test is the first to ask for the packages of npm waits for them."""
    for item in items:
        if "javascript" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(INSTALLING + 300))


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell starts what it puts in the background with SIGINT ignored, and every program started here inherits it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _discovery_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """kubectl and Helm believe for minutes what a server at the same port has told them, in an earlier run too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECACHEDIR", str(tmp_path_factory.mktemp("kube-cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _forwarding(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set up before and torn down after every other fixture of the session, the shared program included."""
    if not any(item.get_closest_marker("root") for item in request.session.items):
        yield
        return
    before, others = FORWARDING.read_text(), CLAIMS.exists()
    yield
    after = FORWARDING.read_text()
    if not others and not CLAIMS.exists():  # another instance had it on at the start, or has by now
        assert after == before, "a test switched packet forwarding on and did not give it back"


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Javascript:
    """Our Node.js programs with the npm packages they need."""
    return Javascript.install(tmp_path_factory.mktemp("javascript"))
