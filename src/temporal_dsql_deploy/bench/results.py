"""What a benchmark has shown: the document of `bench run --json`, published as a JSON Schema.

Names of fields are in the document as in the benchmark that the project began from: `actualRate`,
`maxP99LatencyMs`. Latencies are in milliseconds, rates per second, CPU in cores.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from pydantic.alias_generators import to_camel

from temporal_dsql_deploy.bench.recorder import PERCENTILES, Histogram
from temporal_dsql_deploy.platforms.protocol import Result

SCHEMA_VERSION = 1
"""Raised when a field goes or changes its meaning; new fields may come without."""


class Document(Result):
    """Base of the parts of a result, which are written in camel case."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {
        **Result.__pydantic_config__,
        "alias_generator": to_camel,
        "populate_by_name": True,
    }


@dataclass(frozen=True, slots=True)
class Latency(Document):
    """A distribution, in milliseconds."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    histogram: str
    """All of it, in microseconds: HdrHistogram V2, compressed, base64; empty when count is 0."""

    @classmethod
    def of(cls, histogram: Histogram) -> "Latency":
        """A histogram as part of a document."""
        p50, p90, p95, p99, p999 = (
            round(seconds * 1000, 3) for seconds in histogram.percentiles(PERCENTILES)
        )
        return cls(
            count=histogram.count,
            mean=round(histogram.mean * 1000, 3),
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            p999=p999,
            max=round(histogram.max * 1000, 3),
            histogram=histogram.encode(),
        )


@dataclass(frozen=True, slots=True)
class Second(Document):
    """One second of an iteration, counted from its beginning; also those after the last start."""

    second: int
    target: float
    """Rate that was asked for in its middle."""
    due: int
    """Workflows that were due in it."""
    dropped: int
    """Of those, the ones that their generator could not send in time."""
    sent: int
    accepted: int
    """Starts that the server has confirmed in it."""
    rejected: int
    """Starts that were given up in it."""
    completed: int
    """Workflows that the server has closed as Completed in it."""
    failed: int
    """Workflows that it has closed otherwise."""
    open: int
    """Workflows started and not closed at its end: the backlog."""
    p50: float | None
    """Latency of the workflows that completed in it, from when they were due."""
    p99: float | None
    max: float | None
    start_p99: float | None
    """Latency of the start calls that were confirmed in it."""
    lag_p99: float | None
    """How late its starts were sent."""
    schedule_to_start: float | None = None
    """Mean of what its workflow tasks have waited for a worker."""
    waiting_workflow_tasks: int | None = None
    """Workflow tasks that wait in matching for a poll, at its end."""
    waiting_activity_tasks: int | None = None
    workflow_slots_free: int | None = None
    """Least free workflow task slots of any worker."""
    activity_slots_free: int | None = None
    generator_cpu: float | None = None
    """Cores used by all generator processes."""
    worker_cpu: float | None = None
    server_cpu: float | None = None
    persistence: float | None = None
    """Mean latency of the calls that the server has made to its database."""
    query: float | None = None
    """Latency of a visibility query."""
    answer: float | None = None
    """Median latency of GetSystemInfo, for which the frontend asks nobody: its own speed."""
    answer_least: float | None = None
    """Least of these: the network's share."""
    worker_late: float | None = None
    """How late the tasks of the worker's event loop are run, on average, in the latest worker."""


@dataclass(frozen=True, slots=True)
class Worker(Document):
    """One worker process."""

    identity: str
    cpu: float
    """Cores used, on average from the first start to the last completion."""
    cores: int
    """Cores of the machine that it runs on."""
    workflow_pollers: int
    """Polls for workflow tasks that it had open at the end."""
    activity_pollers: int
    workflow_tasks: int
    """Workflow tasks that it was given."""
    sticky_pollers: int = 0
    """Polls for tasks of workflows that it has cached, open at the end."""


@dataclass(frozen=True, slots=True)
class Verdict(Document):
    """What has limited the run, in words."""

    party: str
    """`none`, `workers`, `server`, `generator` or `database`."""
    sentence: str
    evidence: list[str]
    """What was measured that says so, and what was looked at and found well."""


@dataclass(frozen=True, slots=True)
class Counts(Document):
    """Where all workflows of an iteration went.

    due = dropped + sent; sent = accepted + rejected; accepted + unconfirmed = completed + failed
    + unfinished + unlisted + lost.
    """

    due: int
    dropped: int
    sent: int
    accepted: int
    rejected: int
    completed: int
    failed: int
    """Failed, TimedOut, Terminated or Canceled."""
    unfinished: int
    """Still open when the completion timeout was over: they count as failures."""
    lost: int
    """Confirmed by the server, and afterwards known neither to visibility nor to history."""
    unconfirmed: int
    """Found there although their start was given up: beyond `accepted`, and in `completed` too."""
    unlisted: int = 0
    """Confirmed, not in the visibility store when the run ended, and too many to ask for each."""
    dropped_unanswered: int = 0
    """Of `dropped`, those due while `--max-in-flight` starts had no answer yet."""


@dataclass(frozen=True, slots=True)
class Iteration(Document):
    """One of the runs of a benchmark."""

    number: int
    began: datetime
    """When its first workflow was due, UTC."""
    counts: Counts
    throughput: float
    """Completions a second from the end of the ramp-up to the last start."""
    success_rate: float
    """Completed of those due."""
    latency: Latency
    """From when a workflow was due to when the server closed it."""
    start_latency: Latency
    """From sending a start to its confirmation."""
    lag: Latency
    """From when a start was due to when it was sent: the generator's own doing."""
    client_latency: Latency
    """As `latency`, but until a client that waited for the result had it: of one in two seconds."""
    close_to_listed: Latency
    """From having the result until visibility showed the workflow closed: of the same ones."""
    query_latency: Latency
    """Of visibility queries."""
    schedule_to_start: Latency | None
    """What workflow tasks have waited for a worker, from the workers' own buckets."""
    activity_schedule_to_start: Latency | None
    series: list[Second]
    workers: list[Worker]
    generator_cpu: float
    """Cores used by all generator processes, on average until the last start."""
    server_cpu: float | None
    """Cores used by the server where it runs on this machine."""
    state_transitions: int
    """Changes of the state of a workflow that the server has made durable, as it counts them
    itself, children included."""
    state_transitions_per_second: float
    """From the first start to the last completion."""
    failures: dict[str, int]
    """Failed workflows by how they ended."""
    rejections: dict[str, int]
    """Errors of start calls by status and cause, those that were tried again included."""
    resource_exhausted: dict[str, int]
    """Of all clients' calls, by cause, from the servers' metrics; empty where they are not seen."""
    persistence: dict[str, float]
    """Mean latency of the database by operation, the busiest first; empty where it is not seen."""
    database: dict[str, float]
    """Connections and errors of the database, by the server's metric."""
    clock_offset: float
    """By how many milliseconds the server's clock is ahead of the generator's; taken out."""
    clock_uncertainty: float | None
    """The offset is known to this many milliseconds; None when it is not known and taken as 0."""
    bottleneck: Verdict


@dataclass(frozen=True, slots=True)
class Results(Document):
    """All iterations together."""

    workflows_started: int
    workflows_completed: int
    workflows_failed: int
    """Due and not completed, for whatever reason: dropped, rejected, failed, unfinished, lost."""
    actual_rate: float
    """Mean throughput of the iterations."""
    latency: Latency
    state_transitions: int
    success_rate: float


@dataclass(frozen=True, slots=True)
class System(Document):
    """What was measured, and from where."""

    instance_type: str
    """Machine of the generator: its architecture and cores."""
    history_shards: int
    services: dict[str, int]
    """Components of the cluster by name, each with how many; empty where they are not seen."""
    server_version: str
    address: str
    environment: str
    tool_version: str
    python: str


@dataclass(frozen=True, slots=True)
class Thresholds(Document):
    """What was asked of the run."""

    max_p99_latency_ms: float
    min_throughput: float
    min_success_rate: float


@dataclass(frozen=True, slots=True)
class Config(Document):
    """The options, as they were given or derived; durations as text."""

    workflow_type: str
    target_rate: float
    duration: str
    ramp_up_duration: str
    worker_count: int
    iterations: int
    namespace: str
    activity_count: int
    timer_duration: str
    child_count: int
    options: dict[str, Any]
    """All options by their names."""


@dataclass(frozen=True, slots=True)
class BenchResult(Document):
    """A whole benchmark."""

    schema_version: int
    id: str
    """Its name: of its files, and for `bench results` and `bench compare`."""
    timestamp: datetime
    config: Config
    results: Results
    system: System
    thresholds: Thresholds
    passed: bool
    failure_reasons: list[str]
    iterations: list[Iteration]
    warnings: list[str] = field(default_factory=list)
    """What the run could not do, as a cleanup that failed."""
