"""What this machine lacks: tests that need it are left out and named, but never with CI=true."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests.support import once_a_run
from tests.support.containers import docker, guarded, registry
from tests.support.deploy import Deploy
from tests.support.machine import LACKS

__all__ = ["docker", "guarded", "registry"]

_left_out = pytest.StashKey[dict[str, list[str]]]()
_run = pytest.StashKey[str]()
_LOADING = (
    "tests/campaign",
    "tests/cluster/test_bench",
    "tests/cluster/test_compose",
    "tests/cluster/test_containers",
    "tests/cluster/test_faults",
    "tests/cluster/test_images",
    "tests/cluster/test_kill",
    "tests/rehearsal/test_ecs",
    "tests/rehearsal/test_rehearse",
    "tests/rehearsal/test_standing",
)
# Examples are not timed: machines are noisy. The campaign runs many more of them.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _UNTIMED)
settings.register_profile("campaign", _UNTIMED, max_examples=2_000)


def pytest_configure(config: pytest.Config) -> None:
    # Under nohup, or in the background of a script, they are ignored, and so by all that is
    # started from here: what a test says of an interruption would not hold.
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            python = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, python)
    config.addinivalue_line("markers", "needs(name): what the machine must have, see machine.py")
    config.stash[_left_out] = {}
    if not config.getoption("hypothesis_profile", None):
        settings.load_profile("default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in list(items):
        for marker in item.iter_markers("needs"):
            if not _all_must_run() and (reason := LACKS[marker.args[0]]()):
                config.stash[_left_out].setdefault(reason, []).append(item.nodeid)
                items.remove(item)
                config.hook.pytest_deselected(items=[item])
                break
    for item in items:
        # The first test of a file may plan for all others, on a machine that has more to do.
        plans = any(marker.args[0] == "terraform" for marker in item.iter_markers("needs"))
        if plans and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1800))


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file run one after another, and so do all that put a machine under load.

    Two of these would find each other's load, and those of containers share an engine.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "load" if nodeid.startswith(_LOADING) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Not by marks of groups: with pytest 9.2 those of pytest-xdist 3.8 have no effect."""
    return _Scheduling(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        if _all_must_run() and (reason := LACKS[marker.args[0]]()):
            pytest.fail(f"with CI=true no test may be left out, but: {reason}", pytrace=False)


def _all_must_run() -> bool:
    return os.environ.get("CI") == "true"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of tests that run side by side only those who run them know what was left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[_left_out]
    elif run := session.config.stash.get(_run, None):
        once_a_run.forget(run)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each has collected, and so left out, the same."""
    node.config.stash[_run] = node.workerinput["testrunuid"]
    node.config.stash[_left_out].update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = terminalreporter.config.stash[_left_out]
    for reason, tests in left_out.items():
        terminalreporter.write_line(f"not run on this machine, {reason}:")
        for test in tests:
            terminalreporter.write_line(f"  {test}")


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """The command `dsql-deploy` with a state directory and ports of its own."""
    command = Deploy(tmp_path)
    yield command
    command.clean_up()
