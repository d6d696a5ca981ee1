"""A rehearsal that stands, as what mutants are applied to."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations import deployed
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.plan.reader import read_plan
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.rehearsal import settings
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from temporal_dsql_deploy.terraform import commands
from temporal_dsql_deploy.terraform.run import Terraform, ignore, ready
from tests.support.measured.carry import Carrier, Refused
from tests.support.measured.differs import difference
from tests.support.measured.measure import Seen, Watch
from tests.support.mutants import Mutant

START_PERIOD = 30.0
"""Seconds within which a role is well here, twice over; on AWS DSQL's limits make it minutes."""

_SERVED = ("", "start", "refused", "stuck", "place")
"""What is seen while the tasks of the last deployment go on; see measure."""


class NotGreen(Exception):
    """The base cannot be mended; what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a rehearsal that was kept is."""

    environment: Environment
    """With the folder of its copied Terraform."""
    state: Path
    """Folder `rehearsal-ENV`."""
    aws: Mapping[str, str]
    """Variables by which its AWS is talked to; this process must have them."""
    var_files: tuple[Path, ...] = ()


class Base:
    """It, with what it takes to change it and to see what comes of that."""

    def __init__(self, stands: Stands) -> None:
        found = deployed.find(stands.environment)
        clients = Clients.of(found.region)
        network = Network(stands.environment.name, "0.0.0.0/0")
        _hasten(stands.state / "settings.json")
        self.plan = planned(stands)
        self.watch = Watch(stands.environment, found, clients, network.device)
        self._carrier = Carrier(self.plan, found.cluster, clients)

    def measured(self, mutant: Mutant) -> Seen:
        """What comes of a mutant, which is then undone; `mend` waits until all is well again."""
        # ECS may say what is wrong while it still answers the call.
        before, since = self.watch.denied(), datetime.now(UTC)
        try:
            carried = self._carrier.carry(difference(self.plan, mutant))
        except Refused as error:
            return Seen("refused", ["AWS"], str(error))
        try:
            return self.watch.after(carried.restarted, since, before)
        finally:
            carried.undo()

    def mend(self, seen: Seen | None = None) -> None:
        """Wait until all is well after what was seen; if need be, start everything anew.

        Where the old tasks served all the time, or a probe was just well, deployments tell enough.
        Raises NotGreen.
        """
        told = seen is not None and seen.how in _SERVED
        if self.watch.green(probed=not told):
            self._carrier.restart(self.watch.deployed.components)
            if why := self.watch.green(probed=True):
                raise NotGreen(why)


def planned(stands: Stands) -> Plan:
    """What Terraform would make of the state as it is: every value known, and nothing to do."""
    directory = stands.environment.terraform
    assert directory is not None
    with (
        ready(None, None, ignore) as (binary, variables),
        tempfile.TemporaryDirectory() as folder,
    ):
        terraform = Terraform(binary, directory, {**variables, **stands.aws})
        out = Path(folder) / "plan"
        terraform.run(commands.plan(out=out, var_files=stands.var_files, refresh=False))
        return read_plan(terraform.document(commands.show(out)), revealed=True)


def _hasten(path: Path) -> None:
    said = settings.read(path)
    seconds = {**said.seconds, "start_period": START_PERIOD}
    settings.write(path, replace(said, seconds=seconds))
