"""Every failure that a user can meet, as one tree.

    DeployError                  exit 1   it is not so: unhealthy, failed
    ├── NotRunning
    ├── StartFailed
    ├── StopFailed
    ├── NotReady
    ├── RolledBack                        ECS has taken a deployment of a service back
    ├── SettingRejected                   the server refused a setting of the environment
    ├── TerraformFailed                   Terraform said why, in words that are passed on
    ├── BenchmarkFailed
    ├── AwsFailed                         AWS said why, in words that are passed on
    ├── TaskFailed                        a one-off task on ECS has not done its work
    ├── ImageFailed                       a step of building or pushing an image, which is named
    ├── ChecksFailed                      rules of `check` do not hold
    ├── UsageError               exit 2   the command line is wrong
    │   ├── InvalidSetting
    │   ├── UnknownChoice
    │   ├── NotForPlatform
    │   ├── NotAPlan
    │   ├── NotAResult
    │   ├── VariableRejected
    │   └── ConfigurationRejected
    ├── MissingError             exit 3   a tool, credential, environment or permission is missing
    │   ├── UnknownEnvironment
    │   ├── BinaryMissing
    │   ├── BinaryUnusable
    │   ├── PortTaken
    │   ├── DirectoryUnusable
    │   ├── ProviderMissing
    │   ├── CredentialsMissing
    │   ├── CredentialsExpired
    │   ├── PermissionMissing
    │   ├── BackendMissing
    │   ├── NotInitialised
    │   ├── NotApplied
    │   ├── DatabaseUnusable
    │   ├── ImageUnusable
    │   ├── IndexUnusable
    │   ├── OpenSearchUnusable
    │   ├── SchemaUnusable
    │   └── SecretUnusable
    ├── RefusedError             exit 4   protected, locked by another, not confirmed
    │   ├── Locked
    │   ├── NotConfirmed
    │   ├── ForeignDirectory
    │   ├── StateLocked
    │   ├── WrongAccount
    │   ├── Protected
    │   ├── RestartNeeded
    │   └── ResidueFound
    └── StoppedHalfway           exit 5   the same command goes on

Each carries three sentences: what failed (`message`), why (`cause`), what to do next (`fix`), and a
`code` that stays the same over versions. `cli.main` is the only place that turns them into output.
`explain CODE` prints the docstring of its kind: when it comes, and in a second paragraph, where
there is more to be said than the error itself can, what to do.
"""

from collections.abc import Mapping
from typing import ClassVar


class DeployError(Exception):
    """Something is not as it was asked to be."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, message: str, *, cause: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.fix = fix


class NotRunning(DeployError):
    """The verb needs a running cluster and there is none."""

    code = "not-running"


class StartFailed(DeployError):
    """A component ended, or never answered, while it was being started."""

    code = "start-failed"


class StopFailed(DeployError):
    """A component is still alive after it was told to stop and killed."""

    code = "stop-failed"


class NotReady(DeployError):
    """A component runs but did not become ready in time."""

    code = "not-ready"


class RolledBack(DeployError):
    """The deployment circuit breaker of ECS gave a deployment up: what ran before runs again.

    Where something ran before, it serves with its older task definition, and nothing has to be
    undone. The error has the reasons of the tasks that ended and the last lines of their logs:
    correct what they say (image, variable, permission, health check), then `dsql-deploy up ENV`,
    which applies it and deploys that service anew. `dsql-deploy status ENV` says what runs.
    """

    code = "rolled-back"


class SettingRejected(DeployError):
    """The running server does not accept a namespace or search attribute of the environment."""

    code = "setting-rejected"


class TerraformFailed(DeployError):
    """Terraform, or AWS through it, failed in a way that has no code of its own."""

    code = "terraform-failed"


class BenchmarkFailed(DeployError):
    """A benchmark could not be run to its end; it says nothing about the cluster's speed."""

    code = "benchmark-failed"


class AwsFailed(DeployError):
    """A call of AWS failed in a way that has no code of its own."""

    code = "aws-failed"


class TaskFailed(DeployError):
    """A one-off task on ECS was not placed, did not start, or did not end well in time.

    It was to set up the schema or the index, to probe, or to dial the roles. Its last lines are in
    the error, all of them in the log group that it names. The task is stopped, and each of them
    may be run again: the same command does.
    """

    code = "task-failed"


class ImageFailed(DeployError):
    """A step of building or pushing an image failed; the message names it."""

    code = "image-failed"


class ChecksFailed(DeployError):
    """Rules of `check` do not hold of what would be applied; the message counts the findings.

    Nothing was applied. `dsql-deploy check ENV` says what each would cause and how to mend it. What
    is accepted goes into checks.toml, with a reason.
    """

    code = "checks-failed"


class UsageError(DeployError):
    """The command line, or a file that it names, is wrong."""

    exit_code = 2
    code = "usage"


class InvalidSetting(UsageError):
    """A value of an option or of the environment file does not parse or is out of range."""

    code = "invalid-setting"


class UnknownChoice(UsageError):
    """A word that is not one of a known set; the message lists the set."""

    code = "unknown-choice"


class NotForPlatform(UsageError):
    """The verb does not work on the environment's platform; the message lists those that do."""

    code = "not-for-platform"


class NotAPlan(UsageError):
    """A file or document is not a Terraform plan or state, or has a format of another version."""

    code = "not-a-plan"


class NotAResult(UsageError):
    """A file is not the result of a benchmark, or has a schema of another version."""

    code = "not-a-result"


class VariableRejected(UsageError):
    """A Terraform variable has no value, or one that its validation refuses."""

    code = "variable-rejected"


class ConfigurationRejected(UsageError):
    """The Terraform of the environment does not parse or is not valid; file and line are named."""

    code = "configuration-rejected"


class MissingError(DeployError):
    """Something that the verb needs is not there."""

    exit_code = 3
    code = "missing"


class UnknownEnvironment(MissingError):
    """No environment has that name; the message lists those that are known."""

    code = "unknown-environment"


class BinaryMissing(MissingError):
    """A program that the verb starts was not found."""

    code = "binary-missing"


class BinaryUnusable(MissingError):
    """A program was found but cannot be run, or is too old."""

    code = "binary-unusable"


class PortTaken(MissingError):
    """Another process listens on a port that a component needs."""

    code = "port-taken"


class DirectoryUnusable(MissingError):
    """The state directory cannot be made, written or is full."""

    code = "directory-unusable"


class ProviderMissing(MissingError):
    """Terraform found a provider neither in a mirror nor in its registry."""

    code = "provider-missing"


class CredentialsMissing(MissingError):
    """There are no AWS credentials, or AWS does not know them."""

    code = "credentials-missing"


class CredentialsExpired(MissingError):
    """The AWS credentials were valid once."""

    code = "credentials-expired"


class PermissionMissing(MissingError):
    """AWS knows the credentials and does not let them do what is needed."""

    code = "permission-missing"


class BackendMissing(MissingError):
    """The place of the Terraform state is not configured, or is not there."""

    code = "backend-missing"


class NotInitialised(MissingError):
    """`terraform init` has not been run since the providers, modules or backend changed."""

    code = "not-initialised"


class NotApplied(MissingError):
    """The Terraform of the environment has not made what the verb needs."""

    code = "not-applied"


class DatabaseUnusable(MissingError):
    """The database does not answer, refuses, or does not hold Temporal's schema."""

    code = "database-unusable"


class ImageUnusable(MissingError):
    """An image is not there, or does not hold what is built on it."""

    code = "image-unusable"


class IndexUnusable(MissingError):
    """The visibility index does not have the mapping or the order that the server expects."""

    code = "index-unusable"


class OpenSearchUnusable(MissingError):
    """OpenSearch cannot be reached from here, or refuses a call."""

    code = "opensearch-unusable"


class SchemaUnusable(MissingError):
    """A folder is no schema of Temporal, or the database has what does not fit the schema."""

    code = "schema-unusable"


class SecretUnusable(MissingError):
    """A secret is not there, or does not hold what it should."""

    code = "secret-unusable"


class RefusedError(DeployError):
    """The tool could, but will not without more from the user."""

    exit_code = 4
    code = "refused"


class Locked(RefusedError):
    """Another command is changing the same environment.

    The error says who, since when and with which verb: wait until that has ended. On ECS the lock
    of a command that was killed expires after two minutes, and `dsql-deploy lock show ENV` says
    when; who is sure that it runs no more need not wait: `dsql-deploy lock release ENV`. Who loses
    a lock stops before the next step.
    """

    code = "locked"


class NotConfirmed(RefusedError):
    """A question was answered with no, or there was nobody to ask."""

    code = "not-confirmed"


class ForeignDirectory(RefusedError):
    """The data directory holds files, or an environment, that are not this environment's."""

    code = "foreign-directory"


class StateLocked(RefusedError):
    """Somebody else holds the lock of the Terraform state; the message says who and since when.

    It is Terraform's own lock, which a Terraform has that still works, also one that has outlived
    a killed `up`: wait until it has ended. Where none runs any more the error has the command that
    gives the lock back, `terraform force-unlock` with its id.
    """

    code = "state-locked"

    def __init__(
        self, message: str, *, cause: str = "", fix: str = "", lock: Mapping[str, str]
    ) -> None:
        super().__init__(message, cause=cause, fix=fix)
        self.lock = lock
        """What Terraform says of it: ID, Who, Operation, Created."""


class WrongAccount(RefusedError):
    """The AWS credentials are of another account than the environment's.

    Nothing was changed. `aws sts get-caller-identity` says whose they are; choose others by
    AWS_PROFILE. The environment's account is `account` of its file, or `account_id` of its
    Terraform variables.
    """

    code = "wrong-account"


class Protected(RefusedError):
    """The change would delete something that is protected against it."""

    code = "protected"


class RestartNeeded(RefusedError):
    """What runs was started otherwise, and would be restarted by what must restart nothing."""

    code = "restart-needed"


class ResidueFound(RefusedError):
    """Workflows of another benchmark are still open, and would distort this one."""

    code = "residue-found"


class StoppedHalfway(DeployError):
    """What was being done has stopped before its end; the message says what stands now.

    Run the same command again: it keeps no record, looks at what is there and goes on.
    """

    exit_code = 5
    code = "stopped-halfway"
