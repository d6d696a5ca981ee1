"""What the verbs of `visibility` are asked for, and what they tell."""

from dataclasses import dataclass, field

from temporal_dsql_deploy.platforms.protocol import Result
from temporal_dsql_deploy.visibility.domain import Domain
from temporal_dsql_deploy.visibility.expected import Expected


@dataclass(frozen=True, slots=True)
class Request:
    """An index, and what it should be."""

    environment: str
    domain: Domain
    index: str
    """By the name that the server has it by."""
    expected: Expected
    movable: bool = True
    """Whether the server can be told the name of another index."""


@dataclass(frozen=True, slots=True)
class Finding(Result):
    """One thing that is not as the server expects it."""

    what: str
    """Such as `field CloseTime`, `template`, `setting action.auto_create_index`."""
    expected: str
    found: str
    """Empty where it is not there."""
    fix: str


@dataclass(frozen=True, slots=True)
class IndexField(Result):
    """One field of the mapping that the server expects."""

    name: str
    expected: str
    """Its type, with whatever else it says."""
    found: str
    """Empty where the index does not have it."""
    ok: bool


@dataclass(frozen=True, slots=True)
class VisibilityStatus(Result):
    """The visibility index of an environment, against what its server expects."""

    environment: str
    url: str
    version: str
    """Distribution and version, such as `opensearch 2.19.1`."""
    health: str
    """`green`, `yellow`: a replica has no place, or `red`: data cannot be reached."""
    unassigned_shards: int
    """Of all indexes."""
    expected: str
    """Which schema the index is compared with."""
    auto_create_index: str
    """The setting action.auto_create_index, as it is in force."""
    template: str
    """`as expected`, `different` or `missing`."""
    index: str
    """The name that the server uses."""
    stored_in: str
    """The index itself: another name where that one is an alias; empty where there is none."""
    documents: int | None
    """As OpenSearch lists them; null where there is no index, or where it cannot tell."""
    shards: str
    """Primary shards and replicas of each, such as `1 + 1`; empty where there is no index."""
    fields: list[IndexField]
    further_fields: list[str]
    """What the index has beyond: the server adds a field for each custom search attribute."""
    sort: dict[str, str]
    """Settings index.sort.* of the index."""
    findings: list[Finding]
    warnings: list[str]
    """What does no harm yet."""
    ok: bool
    """Whether the server finds everything as it expects it."""


@dataclass(frozen=True, slots=True)
class Step(Result):
    """One step of a plan."""

    text: str
    calls: list[str] = field(default_factory=list)
    """Calls of OpenSearch's REST API, in their order."""


@dataclass(frozen=True, slots=True)
class VisibilityPlan(Result):
    """What `setup` or `repair` would do now; nothing was changed."""

    environment: str
    calls: list[str]
    """Of OpenSearch's REST API, or of AWS where a task does it; empty where nothing is to do."""
    findings: list[Finding]
    """What is wrong now."""
    steps: list[Step]
    """What remains for somebody to do, where it cannot be mended in place."""


@dataclass(frozen=True, slots=True)
class VisibilityResult(Result):
    """What `setup` or `repair` has done, and what there is now."""

    environment: str
    done: list[str]
    """Calls that have changed something; empty where nothing was to do."""
    status: VisibilityStatus
    steps: list[Step] = field(default_factory=list)
    """What remains for somebody to do, where it cannot be mended in place."""


@dataclass(frozen=True, slots=True)
class TaskResult(Result):
    """A set-up that was done by a task inside the VPC."""

    environment: str
    task: str
    """Its ARN."""
    exit_code: int
    log: list[str]
    """Its lines."""
