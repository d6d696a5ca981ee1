"""A canary: the probe again and again, and what it finds as Prometheus metrics."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from temporal_dsql_deploy.errors import NotRunning, PortTaken
from temporal_dsql_deploy.operations.probe import checks
from temporal_dsql_deploy.operations.probe.cluster import diagnosed, names, one_process
from temporal_dsql_deploy.operations.probe.result import CheckResult, ProbeResult
from temporal_dsql_deploy.operations.probe.run import Question, ask
from temporal_dsql_deploy.platforms.protocol import Platform

_PREFIX = "dsql_deploy_probe"
_HOST = "127.0.0.1"


class Metrics:
    """The Prometheus page of a canary, with what the last round has found."""

    def __init__(self, environment: str) -> None:
        self.registry = CollectorRegistry()
        self._ok = self._gauge("ok", "1 when every check of the last round passed.")
        self._end = self._gauge("end_timestamp_seconds", "End of the last round.")
        self._check = self._gauge("check_ok", "1 when it passed.", "check")
        self._seconds = self._gauge("check_seconds", "How long it took.", "check")
        self._paths = self._gauge(
            "closed_path",
            "1 for a path that explains failed checks.",
            *("caller", "callee", "port_name", "certain"),
        )
        self._gauge("info", "The environment.", "environment").labels(environment).set(1)
        self._rounds = Counter(
            f"{_PREFIX}_rounds", "Rounds by how they ended.", ["result"], registry=self.registry
        )
        for result in ("ok", "failed"):
            self._rounds.labels(result)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", help_, labels, registry=self.registry)

    @contextmanager
    def served(self, port: int) -> Iterator[int]:
        """Serve the page on this machine, on a free port where `port` is 0; the port.

        Raises PortTaken.
        """
        try:
            server, thread = start_http_server(port, addr=_HOST, registry=self.registry)
        except OSError as error:
            raise PortTaken(
                f"port {port}, for the metrics of the probe, cannot be used",
                cause=error.strerror or str(error),
                fix="choose another one with --metrics-port",
            ) from error
        try:
            yield int(server.server_port)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def take(self, result: ProbeResult) -> None:
        """Show this round in place of the one before."""
        self._ok.set(result.ok)
        self._rounds.labels("ok" if result.ok else "failed").inc()
        self._end.set(time.time())
        for gauge in (self._check, self._seconds, self._paths):
            gauge.clear()
        for check in result.checks:
            # A 1 for what was not tried would say that it works.
            if not check.left_out:
                self._check.labels(check.name).set(check.ok)
                self._seconds.labels(check.name).set(check.seconds)
        for path in result.paths:
            certain = str(path.certain).lower()
            self._paths.labels(path.caller, path.callee, path.port_name, certain).set(1)


def rounds(
    platform: Platform, namespace: str, *, deadline: float, interval: float
) -> Iterator[ProbeResult]:
    """Endless results of a thorough probe, one every `interval` seconds from start to start.

    A cluster that does not run is a failed round, and tried again. A check that can do harm where
    a path is closed is left out: what watches must not break, and inside one process is no path.
    """
    # One loop for all rounds: what a round has left behind ends in the next.
    loop = asyncio.new_event_loop()
    wanted = names(platform, thorough=True)
    harmful = {} if one_process(platform) else checks.harmful()
    try:
        while True:
            began = time.monotonic()
            try:
                question = Question(
                    platform.frontend(), namespace, deadline, _ignore, wanted, left_out=harmful
                )
                result = diagnosed(platform, ask(loop, question))
            except NotRunning as error:
                result = _nothing_runs(namespace, error)
            yield result
            time.sleep(max(0.0, began + interval - time.monotonic()))
    finally:
        loop.close()


def _ignore(_: str) -> None:
    pass


def _nothing_runs(namespace: str, error: NotRunning) -> ProbeResult:
    check = CheckResult(
        name="workflow", ok=False, seconds=0, error=error.message, meaning=error.fix
    )
    return ProbeResult(
        address="",
        namespace=namespace,
        task_queue="",
        ok=False,
        at=datetime.now(UTC),
        seconds=0,
        checks=[check],
    )
