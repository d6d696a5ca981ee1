"""Rehearse an environment: its Terraform and its deployment against the emulated AWS."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.errors import DeployError, Protected
from temporal_dsql_deploy.operations import deployed
from temporal_dsql_deploy.operations.staged import up
from temporal_dsql_deploy.operations.staged.steps import Chosen
from temporal_dsql_deploy.operations.staged.up import Probe, StagedUp
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.rehearsal import (
    account,
    place,
    prepare,
    requested,
    stores,
    substitution,
)
from temporal_dsql_deploy.rehearsal.faults import Faults
from temporal_dsql_deploy.rehearsal.network import bridge, walls
from temporal_dsql_deploy.rehearsal.place import Places
from temporal_dsql_deploy.rehearsal.prepare import Prepared, Request
from temporal_dsql_deploy.rehearsal.requested import Requested, Where
from temporal_dsql_deploy.rehearsal.result import DeniedDial, RehearsePlan, RehearseResult
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings
from temporal_dsql_deploy.rehearsal.standing import Standing, speaking_to
from temporal_dsql_deploy.rehearsal.stores import Stores

_PATIENCE = 2.0
"""Seconds for another rehearsal of the same environment to end."""
_PATIENCE_WITH_FAULTS = 180.0
"""Seconds for hosts and for each component: on this machine nothing takes longer that comes."""
_APPLIED = "apply"
"""The last step before anything has to run."""


@dataclass(slots=True)
class _Timed:
    """How long each part took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str, report: Report) -> Iterator[None]:
        report(f"{name} ...")
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - began, 2)


def plan(request: Request) -> RehearsePlan:
    """What a rehearsal would stand on; nothing is started. Raises as `run`."""
    bridge.check()
    stores.find()
    with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
        return prepare.prepare(request, Path(folder) / "terraform").plan()


def end(environment: str, report: Report) -> None:
    """Take away what stands of a rehearsal. Raises Locked, BinaryMissing, BinaryUnusable."""
    bridge.check()
    standing = Standing(environment)
    with standing.directory.lock("rehearse --end", report, patience=_PATIENCE):
        standing.remove(None)


def stands(environment: str) -> bool:
    """Whether a rehearsal of this environment does."""
    return Standing(environment).stands() is not None


def run(  # noqa: PLR0913 - what is otherwise, each by its name
    request: Request,
    probe: Probe,
    report: Report,
    *,
    keep: bool,
    faults: Sequence[Requested] = (),
    wait: float | None = None,
) -> RehearseResult:
    """Apply, deploy and probe in an AWS that is emulated on this machine.

    One that stands because it was kept is not taken away for it: it is refused, with Protected.
    `faults` are there before the hosts are looked at; `wait`, in seconds, is how long hosts and
    each component may take. Whatever happens, nothing is left, but with `keep`. Raises
    PermissionMissing, BinaryMissing, BinaryUnusable, ImageUnusable, RefusedError, Locked,
    InvalidSetting for a fault of tasks that run, and what `up` raises.
    """
    for fault in faults:
        requested.check_from_nothing(fault)
    if wait is None and faults:
        wait = _PATIENCE_WITH_FAULTS
    bridge.check()
    programs = stores.find()
    standing = Standing(request.environment.name)
    with standing.directory.lock("rehearse", report, patience=_PATIENCE):
        _refuse_kept(standing, request.environment.name)
        standing.remove(None)
    # The file of the lock went with the rest: only a new one keeps others out from here on.
    with standing.directory.lock("rehearse", report, patience=_PATIENCE):
        standing.directory.prepare()
        request = replace(request, wait=wait, keep=keep)
        rehearsal = _Rehearsal(request, standing, programs, report)
        try:
            result = rehearsal.run(probe, faults)
        except BaseException as error:
            told = rehearsal.told if keep and isinstance(error, DeployError) else {}
            _left(standing, report, told, is_placed=rehearsal.is_placed)
            raise
        if keep:
            standing.keep(rehearsal.told)
            return replace(result, standing=rehearsal.told)
        with interrupts.uninterrupted():
            standing.remove(None)
        return result


def _refuse_kept(standing: Standing, name: str) -> None:
    kept = standing.kept
    if kept is None:
        return
    raise Protected(
        f"a rehearsal of {name} stands",
        cause="it was begun with --keep, and a new one would take it away",
        fix=f"talk to it: . {kept}; or take it away first: dsql-deploy rehearse ENV --end",
    )


def _left(standing: Standing, report: Report, told: Mapping[str, str], *, is_placed: bool) -> None:
    if told:
        talk = f". {standing.keep(told)}"
        # Before that its database and its index are nowhere in the VPC.
        more = f"to go on with it: {talk}, then dsql-deploy up ENV" if is_placed else talk
        report(f"it stands as it is ({more}); dsql-deploy rehearse ENV --end takes it away")
        return
    report("taking everything away")
    with interrupts.uninterrupted():
        standing.remove(None)


class _Rehearsal:
    """One that is under way."""

    def __init__(
        self, request: Request, standing: Standing, programs: stores.Programs, report: Report
    ) -> None:
        self.told: dict[str, str] = {}
        """Variables by which other verbs talk to it, once its AWS listens."""
        self.is_placed = False
        """Whether its stores are in the VPC, so that `up` can go on."""
        self._request = request
        self._standing = standing
        self._programs = programs
        self._report = report
        self._timed = _Timed()

    def run(self, probe: Probe, faults: Sequence[Requested] = ()) -> RehearseResult:
        """From nothing to a probe."""
        with self._timed.part("preparing", self._report):
            prepared = prepare.prepare(self._request, self._standing.copy)
            stores.obtain(self._programs, self._report)
        with self._timed.part("network, stores and AWS", self._report):
            prepared.network.make()
            settings = self._settings(prepared)
            self._standing.write(settings)
            # It takes some seconds to start, and so do the stores.
            port = self._standing.start_aws()
            kept = Stores(self._standing.directory, self._programs)
            kept.start()
            aws = self._standing.talking_to_aws(port)
            self.told = {**aws, **self._standing.tell(prepared.environment)}
        with speaking_to(aws):
            where = Where(Faults(aws["AWS_ENDPOINT_URL"]), lambda: kept.close(database=True))
            early = [one for one in faults if one.kind.before_apply]
            self._let_happen(early, where)
            placed = self._applied(prepared, kept, settings, probe)
            self._let_happen([one for one in faults if one not in early], where)
            return self._deployed(prepared, placed, probe)

    def _let_happen(self, faults: Sequence[Requested], where: Where) -> None:
        for one in faults:
            requested.do(one, where)
            self._report(f"{one}: {one.what}")

    def _settings(self, prepared: Prepared) -> RehearsalSettings:
        network, chosen = prepared.network, prepared.chosen
        return RehearsalSettings(
            folder=str(self._standing.ecs),
            network=network.name,
            bridge=network.device,
            gateway=network.gateway,
            images=chosen.images,
            placeholders=chosen.placeholders,
            pause=chosen.pause,
            architecture=prepared.architecture,
            limits=prepared.limits,
        )

    def _applied(
        self, prepared: Prepared, kept: Stores, settings: RehearsalSettings, probe: Probe
    ) -> list[str]:
        """Apply, and place the stores; what is changed for that."""
        with self._timed.part("apply", self._report):
            account.have_images([*prepared.chosen.images, *prepared.chosen.placeholders])
            self._up(prepared, Chosen(last=_APPLIED), probe)
        with self._timed.part("placing the stores", self._report):
            placed = self._place(prepared, kept, settings)
        self.is_placed = True
        return placed

    def _deployed(self, prepared: Prepared, changed: Sequence[str], probe: Probe) -> RehearseResult:
        with self._timed.part("deployment", self._report):
            done = self._up(prepared, Chosen(first="hosts"), probe)
        return RehearseResult(
            environment=prepared.environment.name,
            ok=done.probe is not None and done.probe.ok,
            seconds=self._timed.seconds,
            stand_ins=prepared.stand_ins,
            overrides=[*prepared.overrides, *changed],
            denied=_denied(prepared.network),
            probe=done.probe,
            standing=None,
        )

    def _up(self, prepared: Prepared, chosen: Chosen, probe: Probe) -> StagedUp:
        return up.up(prepared.environment, self._request.how(), chosen, self._report, probe)

    def _place(self, prepared: Prepared, kept: Stores, settings: RehearsalSettings) -> list[str]:
        """Let both stores listen in the VPC, and tell containers of them; what is changed."""
        how = deployed.How(self._request.terraform, self._request.provider_mirror)
        found = deployed.find(prepared.environment, how)
        places = place.find(prepared.environment.name, found.outputs, found.region)
        database = kept.until_ready()
        house = topology.load().externals
        for one in (places.database, places.visibility):
            prepared.network.add(one.address)
        kept.listen(
            (places.database.address, house["database"].ports["postgresql"]),
            (places.visibility.address, house["visibility"].ports["https"]),
        )
        changed = substitution.environment(found.project, _as_told(database, places))
        self._standing.write(
            replace(
                settings,
                hosts={
                    substitution.DATABASE: places.database.address,
                    places.database.host: places.database.address,
                    places.visibility.host: places.visibility.address,
                },
                worn=places.worn,
                environment=changed,
            )
        )
        return substitution.words(changed)


def _as_told(database: Database, places: Places) -> substitution.Stores:
    return substitution.Stores(
        database.user, database.name, database.password, places.visibility.host
    )


def _denied(network: bridge.Network) -> list[DeniedDial]:
    return [
        DeniedDial(one.source, one.target, one.port, one.attempts)
        for one in walls.denied(network.device)
    ]
