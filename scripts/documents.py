"""The documents that verbs print with --json, by the names of their schemas."""

from temporal_dsql_deploy.bench.compare import Comparison
from temporal_dsql_deploy.bench.results import BenchResult
from temporal_dsql_deploy.bench.store import ResultList
from temporal_dsql_deploy.cli.failure import Failure
from temporal_dsql_deploy.operations.check import CheckResult
from temporal_dsql_deploy.operations.diagram import DiagramResult
from temporal_dsql_deploy.operations.doctor import DoctorResult
from temporal_dsql_deploy.operations.down import DestroyResult, DownResult
from temporal_dsql_deploy.operations.env import EnvResult
from temporal_dsql_deploy.operations.explain import ExplainResult
from temporal_dsql_deploy.operations.images.result import (
    ImagesBuilt,
    ImagesListed,
    ImagesPushed,
)
from temporal_dsql_deploy.operations.lease.look import LeaseStatus
from temporal_dsql_deploy.operations.lease.run import LeaseReset
from temporal_dsql_deploy.operations.lock import LockStatus
from temporal_dsql_deploy.operations.membership import result as membership
from temporal_dsql_deploy.operations.plan.result import PlanResult
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.recover.result import RecoverPlan, RecoverResult
from temporal_dsql_deploy.operations.restart import RestartPlan, RestartResult
from temporal_dsql_deploy.operations.scale import ScalePlan, ScaleResult
from temporal_dsql_deploy.operations.schema import SchemaResult, SchemaStatus
from temporal_dsql_deploy.operations.schema_overwrite import SchemaOverwrite
from temporal_dsql_deploy.operations.schema_task import SchemaTask
from temporal_dsql_deploy.operations.schema_tool import SchemaCommands
from temporal_dsql_deploy.operations.secret.run import SecretMetadata, SecretResult
from temporal_dsql_deploy.operations.staged.destroy import StagedDestroy
from temporal_dsql_deploy.operations.staged.up import StagedUp
from temporal_dsql_deploy.operations.up import UpPlan, UpResult
from temporal_dsql_deploy.operations.visibility import result as visibility
from temporal_dsql_deploy.platforms.protocol import LogLine, Page, Result, Status
from temporal_dsql_deploy.rehearsal.result import FaultResult, RehearsePlan, RehearseResult

DOCUMENTS: dict[str, type[Result]] = {
    "bench-compare": Comparison,
    "bench-results": ResultList,
    "bench-run": BenchResult,
    "check": CheckResult,
    "destroy": DestroyResult,
    "destroy-on-ecs": StagedDestroy,
    "doctor": DoctorResult,
    "error": Failure,
    "down": DownResult,
    "explain": ExplainResult,
    "lease-reset": LeaseReset,
    "lease-show": LeaseStatus,
    "lock-release": LockStatus,
    "lock-show": LockStatus,
    "logs": LogLine,
    "membership-clean": membership.CleanResult,
    "membership-doctor": membership.DoctorResult,
    "membership-show": membership.Look,
    "open": Page,
    "plan": PlanResult,
    "diagram": DiagramResult,
    "probe": ProbeResult,
    "recover": RecoverResult,
    "recover-dry-run": RecoverPlan,
    "restart": RestartResult,
    "restart-dry-run": RestartPlan,
    "scale": ScaleResult,
    "scale-dry-run": ScalePlan,
    "env": EnvResult,
    "images-build": ImagesBuilt,
    "images-list": ImagesListed,
    "images-push": ImagesPushed,
    "schema-setup": SchemaResult,
    "schema-as-task": SchemaTask,
    "schema-setup-overwrite-dry-run": SchemaOverwrite,
    "schema-setup-with-tool-dry-run": SchemaCommands,
    "schema-status": SchemaStatus,
    "schema-upgrade": SchemaResult,
    "secret-rotate": SecretResult,
    "secret-setup": SecretResult,
    "secret-show": SecretMetadata,
    "rehearse": RehearseResult,
    "rehearse-dry-run": RehearsePlan,
    "rehearse-fault": FaultResult,
    "status": Status,
    "up": UpResult,
    "up-dry-run": UpPlan,
    "up-on-ecs": StagedUp,
    "visibility-repair": visibility.VisibilityResult,
    "visibility-repair-dry-run": visibility.VisibilityPlan,
    "visibility-setup": visibility.VisibilityResult,
    "visibility-setup-as-task": visibility.TaskResult,
    "visibility-setup-dry-run": visibility.VisibilityPlan,
    "visibility-status": visibility.VisibilityStatus,
}
"""What each verb prints with --json, by the name of its schema; `logs` prints one a line."""
TITLES = {
    "bench-results": "dsql-deploy bench results --json; of one result, bench-run",
    "error": "dsql-deploy --json, on stderr",
    "lease-reset": "dsql-deploy lease reset --json",
    "lease-show": "dsql-deploy lease show --json",
    "lock-release": "dsql-deploy lock release --json",
    "lock-show": "dsql-deploy lock show --json",
    "logs": "dsql-deploy logs --json, a line",
    "membership-clean": "dsql-deploy membership clean --json",
    "membership-doctor": "dsql-deploy membership doctor --json",
    "membership-show": "dsql-deploy membership show --json",
    "recover-dry-run": "dsql-deploy recover --dry-run --json",
    "rehearse-dry-run": "dsql-deploy rehearse --dry-run --json",
    "rehearse-fault": "dsql-deploy rehearse --fault --json, where one stands",
    "restart-dry-run": "dsql-deploy restart --dry-run --json",
    "scale-dry-run": "dsql-deploy scale --dry-run --json",
    "images-build": "dsql-deploy images build --json",
    "images-list": "dsql-deploy images list --json",
    "images-push": "dsql-deploy images push --json",
    "schema-setup": "dsql-deploy schema setup --json; with --dry-run, schema-status",
    "schema-as-task": "dsql-deploy schema setup, status, upgrade --as-task --json",
    "schema-setup-overwrite-dry-run": "dsql-deploy schema setup --overwrite --dry-run --json",
    "schema-setup-with-tool-dry-run": "dsql-deploy schema setup --with-tool --dry-run --json",
    "schema-status": "dsql-deploy schema status --json",
    "schema-upgrade": "dsql-deploy schema upgrade --json; with --dry-run, schema-status",
    "secret-rotate": "dsql-deploy secret rotate --json",
    "secret-setup": "dsql-deploy secret setup --json",
    "secret-show": "dsql-deploy secret show --json",
    "destroy-on-ecs": "dsql-deploy destroy --json, on ECS; with --dry-run too",
    "up-on-ecs": "dsql-deploy up --json, on ECS; with --dry-run too",
    "up-dry-run": "dsql-deploy up --dry-run --json",
    "visibility-repair": "dsql-deploy visibility repair --json",
    "visibility-repair-dry-run": "dsql-deploy visibility repair --dry-run --json",
    "visibility-setup": "dsql-deploy visibility setup --json",
    "visibility-setup-as-task": "dsql-deploy visibility setup --as-task --json",
    "visibility-setup-dry-run": "dsql-deploy visibility setup --dry-run --json",
    "visibility-status": "dsql-deploy visibility status --json",
}
