"""What the steps share: the environment, what was asked for, and what they find on their way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotForPlatform
from temporal_dsql_deploy.operations import deployed
from temporal_dsql_deploy.operations.plan import run as planning
from temporal_dsql_deploy.operations.plan.result import PlanResult
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.terraform import values, workdir
from temporal_dsql_deploy.terraform.run import OnEvent, ignore

WAIT = 1800.0
"""Seconds that hosts, and each component, may take: an instance boots in two or three minutes, and
ECS gives up on a deployment by itself."""
PRODUCTION = "prod"
"""The environment that is confirmed by its name."""
_PLACE = ("account_id", "region")
"""Known before there are images."""
_VARIABLES = (
    "benchmark",
    "images",
    "telemetry",
    "temporal_admin_tools_image",
    "temporal_image",
    "ui",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the user is asked before something is done."""

    does: str
    """What a yes does, one sentence."""
    details: Sequence[str]
    typed: bool = False
    """Whether the name of the environment has to be typed for it."""


Ask = Callable[[Question], None]
"""Raises NotConfirmed."""


@dataclass(frozen=True, slots=True)
class How:
    """What the user says of it."""

    ask: Ask
    show: Callable[[PlanResult], None]
    """Shows a plan before it is asked about."""
    terraform: Path | None = None
    provider_mirror: Path | None = None
    var_files: Sequence[Path] = ()
    wait: float = WAIT
    """Seconds."""
    dry_run: bool = False
    """Whether steps are looked at alone."""
    stays: bool = True
    """Whether what is made is to last: then an apply is finished though it is interrupted."""
    on_event: OnEvent = ignore


class Work:
    """One run of the staged deployment."""

    def __init__(self, environment: Environment, how: How, folder: Path) -> None:
        """`folder` is for what is thrown away after the run, such as the plan that is applied."""
        self.environment = environment
        self.how = how
        self.plan_file = folder / "plan"
        self.is_to_plan = False
        """Whether a step of this run wants the plan."""
        self._planned: PlanResult | None = None
        self._deployed: Deployed | None = None
        self._shown = False

    @property
    def name(self) -> str:
        """Of the environment."""
        return self.environment.name

    @property
    def directory(self) -> Path:
        """Of its Terraform. Raises NotForPlatform."""
        if self.environment.platform != "ecs" or self.environment.terraform is None:
            raise NotForPlatform(
                f"environment {self.name} is not on AWS",
                cause=f"its platform is {self.environment.platform}",
                fix="name one on ECS: dev, bench, prod, or one of your own",
            )
        return self.environment.terraform.expanduser().absolute()

    @property
    def var_files(self) -> list[Path]:
        """Of the environment, and of this run."""
        return [*self.environment.var_files, *self.how.var_files]

    @cached_property
    def place(self) -> Mapping[str, Any]:
        """The variables account_id and region. Raises what Terraform raises."""
        return self._read(_PLACE)

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """Those that say which images are used. Raises what Terraform raises."""
        return self._read(_VARIABLES)

    def _read(self, names: Sequence[str]) -> Mapping[str, Any]:
        request = values.Request(self.directory, self.var_files, self.how.terraform)
        return values.read(request, names)

    def variable(self, name: str, part: str, default: object) -> Any:
        """A part of a variable that is an object."""
        said = self.variables.get(name)
        found = said.get(part) if isinstance(said, Mapping) else None
        return default if found is None else found

    @property
    def region(self) -> str | None:
        """As the variables say it."""
        said = self.place.get("region")
        return str(said) if said else None

    @property
    def request(self) -> workdir.Request:
        """What is to be asked of Terraform in that folder."""
        return workdir.Request(
            self.directory,
            var_files=self.var_files,
            terraform=self.how.terraform,
            provider_mirror=self.how.provider_mirror,
            on_event=self.how.on_event,
        )

    def planned(self) -> PlanResult:
        """What an apply would do now, and the file by which it does just that."""
        if self._planned is None:
            how = planning.How(
                out=self.plan_file,
                var_files=self.how.var_files,
                terraform=self.how.terraform,
                provider_mirror=self.how.provider_mirror,
                on_event=self.how.on_event,
            )
            self._planned = planning.plan(self.environment, how)
        return self._planned

    def show_plan(self) -> None:
        """Show what an apply would do, once, where it would do anything."""
        made = self.planned()
        if made.changes and not self._shown:
            self.how.show(made)
        self._shown = True

    def applied(self) -> None:
        """What was known of what stands is old now, and the plan is used up."""
        self._planned = self._deployed = None
        self._shown = False

    def deployed(self) -> Deployed:
        """What stands on AWS. Raises NotApplied, WrongAccount, and what Terraform and AWS raise."""
        if self._deployed is None:
            how = deployed.How(self.how.terraform, self.how.provider_mirror, self.how.on_event)
            self._deployed = deployed.find(self.environment, how)
        return self._deployed
