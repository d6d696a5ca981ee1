"""Remove an environment from AWS: its tasks, then its infrastructure; its data only when told."""

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import AwsFailed, NotApplied, Protected
from temporal_dsql_deploy.operations.plan.summary import HOLDS_DATA
from temporal_dsql_deploy.operations.staged import account, kept
from temporal_dsql_deploy.operations.staged.applying import Agreed, applied, take_over
from temporal_dsql_deploy.operations.staged.kept import Parting
from temporal_dsql_deploy.operations.staged.steps import (
    Chosen,
    Doing,
    Runner,
    Seen,
    Step,
    StepResult,
)
from temporal_dsql_deploy.operations.staged.work import PRODUCTION, How, Question, Work
from temporal_dsql_deploy.plan import Action, Plan
from temporal_dsql_deploy.platforms.ecs import lock, services
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.replacing import Replacing
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.protocol import Report, Result
from temporal_dsql_deploy.terraform import scratch, workdir

_NO_CLUSTER = "ClusterNotFoundException"
_STEPS = ("account", "confirmation", "plan", "services", "infrastructure")


@dataclass(frozen=True, slots=True)
class Store(Result):
    """Something with data in it that stays."""

    address: str
    """In Terraform's state."""
    what: str
    """The kind of thing, such as `DSQL cluster`."""
    costs: str
    """What it costs while nothing runs."""


@dataclass(frozen=True, slots=True)
class StagedDestroy(Result):
    """What `destroy` has removed of an environment on ECS, or with --dry-run would remove."""

    environment: str
    with_data: bool
    steps: list[StepResult]
    removed: list[str]
    """Addresses in Terraform's state."""
    kept: list[Store]
    """Empty with --with-data."""
    beside: list[str]
    """Addresses of what else stays, as data stand on it: network, key; empty with --with-data."""


def destroy(
    environment: Environment, how: How, report: Report, *, with_data: bool
) -> StagedDestroy:
    """Scale to zero, then let Terraform remove what is to go.

    Raises Protected, NotConfirmed, Locked, what Terraform and AWS raise, and StoppedHalfway once
    something was changed.
    """
    runner = Runner(_STEPS, Chosen(), report, dry_run=how.dry_run)
    with scratch.folder() as folder:
        work = Work(environment, how, folder)
        runner.run([account.step(work)])
        locked = nullcontext() if how.dry_run else lock.held(work.directory, "destroy", report)
        with locked as taken:
            if not how.dry_run:
                take_over(work, work.directory, report)
            # The state is read under the lock: before it, another may still change it.
            removal = _Removal(work, with_data=with_data)
            runner.run(removal.steps(), check=lambda: taken.check() if taken else None)
    return removal.result(runner.results)


class _Removal:
    def __init__(self, work: Work, *, with_data: bool) -> None:
        self._work = work
        self._with_data = with_data
        self._parting = kept.part(kept.instances(workdir.state(work.request)))
        if with_data:
            everything = [*self._parting.kept, *self._parting.gone]
            self._parting = Parting([], everything)

    def steps(self) -> list[Step]:
        return [
            Step(
                "confirmation",
                "somebody has said that it is to go",
                lambda: Seen(not self._parting.gone, self._told()),
                self._ask,
            ),
            # Before a task is stopped for it: what cannot be removed goes on serving.
            Step(
                "plan",
                "Terraform would remove what is to go, and nothing more",
                lambda: Seen(not self._parting.gone, self._told()),
                self._plan,
            ),
            Step("services", "no service runs a task", self._look_at_services, self._stop),
            Step(
                "infrastructure",
                "Terraform has removed what is to go",
                lambda: Seen(not self._parting.gone, self._told()),
                self._remove,
            ),
        ]

    def _told(self) -> str:
        stays = f", {len(self._parting.data)} stores of data stay" if self._parting.kept else ""
        if not self._parting.gone:
            return f"there is nothing to remove{stays}"
        return f"{len(self._parting.gone)} resources are to go{stays}"

    def _ask(self, _doing: Doing) -> str:
        name = self._work.name
        self._refuse_protected()
        lost = [
            f"{HOLDS_DATA[one.type][0]} {one.address}: {HOLDS_DATA[one.type][1]}"
            for one in self._parting.gone
            if one.type in kept.DATA
        ]
        others = Counter(
            HOLDS_DATA[one.type][0]
            for one in self._parting.gone
            if one.type in HOLDS_DATA and one.type not in kept.DATA
        )
        goes = [f"goes: {count} of the kind {what}" for what, count in sorted(others.items())]
        stays = [f"stays: {one.address} ({kept.DATA[one.type]})" for one in self._parting.data]
        question = Question(
            f"destroy {name}: {self._told()}",
            [*(f"LOST: {line}" for line in lost), *goes, *stays],
            typed=name == PRODUCTION or bool(lost),
        )
        self._work.how.ask(question)
        return "confirmed"

    def _refuse_protected(self) -> None:
        """With the data, as AWS would refuse half way what this can refuse before anything."""
        if not self._with_data:
            return
        try:
            protected = bool(self._work.deployed().outputs.get("deletion_protection"))
        except NotApplied:
            return
        if protected:
            raise Protected(
                f"the data of environment {self._work.name} are protected against being deleted",
                cause="deletion_protection is on in its Terraform: AWS refuses to delete the DSQL "
                "cluster and the tables, and the bucket of the logs unless it is empty",
                fix="set deletion_protection = false (in prod also take out the block "
                "terraform_data.protection with its prevent_destroy), dsql-deploy up ENV --only "
                "apply, then this again; to keep the data: leave --with-data out",
            )

    def _look_at_services(self) -> Seen:
        there = [
            name
            for name, one in self._services().items()
            if one.desired or one.running or one.pending
        ]
        if there:
            return Seen(False, f"tasks run: {', '.join(there)}")
        return Seen(True, "no service runs a task")

    def _services(self) -> dict[str, Service]:
        """Those that are left; none where the cluster has gone before."""
        if not self._parting.gone:
            return {}
        try:
            deployed = self._work.deployed()
            return services.look(deployed, Clients.of(deployed.region))
        except NotApplied:
            return {}
        except AwsFailed as error:
            if _NO_CLUSTER not in error.cause:
                raise
            return {}

    def _stop(self, doing: Doing) -> str:
        deployed = self._work.deployed()
        doing.changing()
        Replacing(
            deployed, Clients.of(deployed.region), report=doing.report, limit=self._work.how.wait
        ).stop(deployed.components)
        return "all services are at zero"

    def _plan(self, _doing: Doing) -> str:
        workdir.plan(
            replace(
                self._work.request,
                out=self._work.plan_file,
                destroy=True,
                targets=() if self._with_data else self._parting.targets,
                check=self._refuse_more,
            )
        )
        return "it would remove that and nothing more"

    def _refuse_more(self, plan: Plan) -> None:
        """Terraform takes along what depends on a target, by the files and by the state."""
        agreed = set(self._parting.targets)
        more = sorted(
            {
                one.address
                for one in plan.changes
                if one.action in {Action.DELETE, Action.REPLACE}
                and not {one.address, one.previous_address} & agreed
            }
        )
        if more:
            raise Protected(
                f"Terraform would remove more than is to go: {', '.join(more)}",
                cause="by its files these depend on what goes, and by its state they do not, or "
                "they were made since",
                fix="let state and files agree: dsql-deploy up ENV --only apply; then this again",
            )

    def _remove(self, doing: Doing) -> str:
        work, total = self._work, len(self._parting.gone)
        try:
            agreed = Agreed(work.directory, work.plan_file, total, destroys=True)
            gone = applied(work, agreed, doing)
        finally:
            work.applied()
        return f"removed {gone} resources"

    def result(self, steps: list[StepResult]) -> StagedDestroy:
        data = self._parting.data
        return StagedDestroy(
            self._work.name,
            self._with_data,
            steps,
            self._parting.targets,
            [Store(one.address, HOLDS_DATA[one.type][0], kept.DATA[one.type]) for one in data],
            sorted(one.address for one in self._parting.kept if one not in data),
        )
