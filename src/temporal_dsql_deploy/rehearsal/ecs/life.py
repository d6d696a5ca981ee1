"""The life of one task, in a thread of its own: from its place to the end of its last container."""

import fnmatch
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.cluster.containers import engine as docker
from temporal_dsql_deploy.rehearsal.ecs import (
    commands,
    definition,
    health,
    placeholder,
    words,
    world,
)
from temporal_dsql_deploy.rehearsal.ecs.connect import Proxy, addresses
from temporal_dsql_deploy.rehearsal.ecs.health import Health
from temporal_dsql_deploy.rehearsal.ecs.logs import Source
from temporal_dsql_deploy.rehearsal.ecs.model import (
    ACTIVATING,
    DEACTIVATING,
    DEPROVISIONING,
    EXITED,
    FAILED_TO_START,
    PENDING,
    RUNNING,
    STOPPED,
    STOPPING,
    Alias,
    Container,
    Task,
)
from temporal_dsql_deploy.rehearsal.ecs.world import CannotStart
from temporal_dsql_deploy.runtime import address

if TYPE_CHECKING:
    from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs

_KILLED = 137
_SELDOM = 5
"""How much less often a container is checked that is well."""


class Life:
    """Starts a task that has its place, follows it, ends it."""

    def __init__(self, ecs: "Ecs", task: Task, names: Mapping[str, Alias]) -> None:
        self.task = task
        self._ecs = ecs
        self._names = names
        self._settings = ecs.settings()
        self._region = world.region_of(task.arn)
        self._said: queue.Queue[str] = queue.Queue()
        self._reached: dict[str, set[str]] = {}
        self._next: dict[str, float] = {}
        self._made: list[str] = []
        self._abrupt = False
        self.proxy: Proxy | None = None
        service = task.service.rpartition("/")[2]
        hosts = {**self._settings.hosts, **addresses(names)}
        self._place = commands.Place(task.id, service, task.address, hosts)
        threading.Thread(target=self._live, daemon=True, name=f"task {task.id}").start()

    def died(self, container: str) -> None:
        """Docker says that a container has ended."""
        self._said.put(container)

    def wake(self, *, abrupt: bool = False) -> None:
        """It is to look whether it has to stop; `abrupt` as with a machine that is gone."""
        self._abrupt = self._abrupt or abrupt
        self._said.put("")

    def _live(self) -> None:
        task = self.task
        try:
            self._begin()
            self._follow()
        except CannotStart as error:
            task.stop(FAILED_TO_START, str(error))
        except DeployError as error:
            task.stop(FAILED_TO_START, f"CannotStartContainerError: {error.cause or error.message}")
        finally:
            self._end()

    def _begin(self) -> None:
        task, ecs = self.task, self._ecs
        task.status = PENDING
        images = {one.part.name: self._image(one) for one in task.containers}
        secrets = {one.part.name: self._secrets(one) for one in task.containers}
        for one in task.containers:
            group = one.part.log.get("awslogs-group")
            if group and not world.has_log_group(self._region, group):
                one.reason = words.no_group(group)
                raise CannotStart(one.reason)
        if task.address:
            ecs.walls.put(task.address, task.network.get("securityGroups") or [])
        # Docker leaves what it has made and cannot start.
        self._made.append(self._place.pause)
        ecs.docker.run(*commands.pause(self._place, self._settings))
        if not task.address:
            task.address = self._found_address()
        if self._names:
            own = {port for part in task.definition.parts for port in part.ports.values()}
            self.proxy = Proxy(self._pid(), self._names, own)
        for volume in commands.volumes(self._place, task.definition, self._settings):
            ecs.docker.run(*volume)
        for one in task.containers:
            self._create(one, images[one.part.name], secrets[one.part.name])
        task.status = ACTIVATING
        self._start_ready()

    def _image(self, one: Container) -> str:
        """The local image that it runs; a placeholder changes what it runs too."""
        settings, wanted = self._settings, one.part.image
        playing = settings.placeholder(one.part.name, wanted)
        if playing:
            one.part = placeholder.played(one.part, self.task.definition)
        local = playing or settings.image(wanted) or wanted
        missing = any(name in wanted for name in self._ecs.faults.images)
        found = None if missing else self._ecs.docker.image(local)
        if found is None:
            one.reason = words.cannot_pull(wanted)
            raise CannotStart(one.reason)
        one.digest = found.id
        return local

    def _secrets(self, one: Container) -> dict[str, str]:
        missing = self._ecs.faults.secrets
        return {
            name: world.secret(self._region, source, missing)
            for name, source in one.part.secrets.items()
        }

    def _create(self, one: Container, image: str, secrets: Mapping[str, str]) -> None:
        environment = self._environment(one, secrets)
        memory = self.task.definition.room.memory_mib
        wanted = commands.Wanted(one.part, image, environment, memory)
        words_of = commands.create(self._place, wanted, self._settings)
        asked = [self._ecs.docker.path, *words_of]
        one.runtime_id = docker.run(
            asked, {**self._ecs.environ, **commands.given(environment)}
        ).strip()
        self._made.append(one.runtime_id)

    def _environment(self, one: Container, secrets: Mapping[str, str]) -> dict[str, str]:
        """Of the definition, its secrets and overrides, of ECS, and what the rehearsal replaces."""
        found: dict[str, str | None] = {
            **one.part.environment,
            **secrets,
            **self._ecs.credentials(self.task),
            address.METADATA: self._ecs.metadata_uri(one.token),
        }
        for pattern, replaced in self._settings.environment.items():
            if fnmatch.fnmatchcase(self.task.definition.family, pattern):
                found |= replaced
        return {name: value for name, value in found.items() if value is not None}

    def _found_address(self) -> str:
        said = self._ecs.docker.inspect([self._place.pause])[0]["NetworkSettings"]["Networks"]
        return str(said[self._settings.network]["IPAddress"])

    def _pid(self) -> int:
        return int(self._ecs.docker.inspect([self._place.pause])[0]["State"]["Pid"])

    def _start_ready(self) -> None:
        """Start what waits for nothing any more."""
        while ready := definition.startable(self.task.definition, self._listed()):
            for part in ready:
                self._start(self._container(part.name))
        if len(self._reached) == len(self.task.containers) and self.task.status == ACTIVATING:
            self.task.started = time.time()
            self.task.status = RUNNING
        stuck = definition.never(self.task.definition, self._listed())
        if stuck:
            after = ", ".join(stuck.after)
            raise CannotStart(f"TaskFailedToStart: {stuck.name} depends on {after}, which failed")

    def _start(self, one: Container) -> None:
        try:
            self._ecs.docker.start([one.runtime_id])
        except DeployError as error:
            one.reason = f"CannotStartContainerError: Error response from daemon: {error.cause}"
            one.status = STOPPED
            raise CannotStart(one.reason) from error
        one.status, one.started = RUNNING, time.time()
        self._reached[one.part.name] = {definition.START}
        self._log(one)
        check = one.part.check
        if check:
            most = self._settings.second("start_period")
            short = replace(check, start_period=min(check.start_period, most))
            one.checked = Health(short, time.monotonic())
            self._next[one.part.name] = time.monotonic() + self._interval(one)

    def _log(self, one: Container) -> None:
        options = one.part.log
        if not options.get("awslogs-group"):
            return
        path = Path(self._ecs.docker.inspect([one.runtime_id])[0]["LogPath"])
        prefix = options.get("awslogs-stream-prefix", "ecs")
        stream = f"{prefix}/{one.part.name}/{self.task.id}"
        source = Source(path, self._region, options["awslogs-group"], stream)
        self._ecs.shipper.add(one.runtime_id, source)

    def _follow(self) -> None:
        """Until it is to stop."""
        while self.task.desired == RUNNING:
            due = min(self._next.values(), default=None)
            try:
                wait = None if due is None else max(0.0, due - time.monotonic())
                said = self._said.get(timeout=wait)
            except queue.Empty:
                self._check_due()
                continue
            if said and self.task.desired == RUNNING:
                self._ended(said)

    def _ended(self, runtime_id: str) -> None:
        """A container is not there any more."""
        one = next((each for each in self.task.containers if each.runtime_id == runtime_id), None)
        if one is None or not self._told_end(one):
            return
        ran = time.time() - one.started
        restarts = one.part.restarts
        if restarts is not None and ran >= restarts and self.task.desired == RUNNING:
            one.exit_code, one.reason = None, ""
            self._start(one)
            return
        if one.part.essential:
            self.task.stop(EXITED, words.ESSENTIAL)
            return
        self._reached[one.part.name] |= {definition.COMPLETE} | (
            {definition.SUCCESS} if one.exit_code == 0 else set()
        )
        self._start_ready()

    def _take_end(self, one: Container) -> None:
        self._told_end(one)

    def _told_end(self, one: Container) -> bool:
        """Take over how it has ended; False where it runs."""
        described = self._ecs.docker.inspect([one.runtime_id])
        state: Mapping[str, Any] = described[0]["State"] if described else {"ExitCode": _KILLED}
        if state.get("Running"):
            return False
        self._next.pop(one.part.name, None)
        self._ecs.shipper.end(one.runtime_id)
        if one.status == RUNNING:
            one.exit_code = int(state["ExitCode"])
            one.reason = one.reason or (words.OUT_OF_MEMORY if state.get("OOMKilled") else "")
        one.status = STOPPED
        return True

    def _interval(self, one: Container) -> float:
        assert one.checked is not None  # noqa: S101 - only asked of those that have a check
        own, most = one.checked.check.interval, self._settings.second("health_interval")
        # Each check is a program that starts: of those that are well there are many.
        return min(own, most * (_SELDOM if one.checked.status == health.HEALTHY else 1))

    def _check_due(self) -> None:
        now = time.monotonic()
        for name, due in list(self._next.items()):
            if due > now:
                continue
            one = self._container(name)
            if one.checked is None or one.status != RUNNING:
                self._next.pop(name)
                continue
            well = self._is_well(one)
            before = one.checked.status
            if one.checked.told(well=well, now=time.monotonic()) != before and well:
                self._reached[name].add(definition.HEALTHY)
                self._start_ready()
            self._next[name] = time.monotonic() + self._interval(one)

    def _is_well(self, one: Container) -> bool:
        assert one.checked is not None  # noqa: S101 - as above
        check = one.checked.check
        asked = [self._ecs.docker.path, "exec", one.runtime_id, *check.words()]
        try:
            done = subprocess.run(
                asked,
                env=self._ecs.environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=check.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _end(self) -> None:
        """Stop what runs, and remove all of it."""
        task, ecs = self.task, self._ecs
        if task.status == RUNNING and not self._abrupt:
            task.status = DEACTIVATING
            if task.service and ecs.is_named(task):
                # Its names lead past it from now on; who has just looked them up still comes.
                threading.Event().wait(self._settings.second("drain"))
        task.status = STOPPING
        self._tried(self._stop_all)
        task.status = DEPROVISIONING
        self._tried(self._remove)
        if task.address:
            self._tried(lambda: ecs.walls.drop(task.address))
            if task.subnet:
                ecs.addresses.give_back(task.address)
        task.stopped = time.time()
        task.status = STOPPED
        ecs.ended(task)

    def _tried(self, step: Callable[[], None]) -> None:
        try:
            step()
        except DeployError as error:
            # Something has ended by itself meanwhile, or is gone.
            self._ecs.complain(f"task {self.task.id}: {error.message}: {error.cause}")

    def _stop_all(self) -> None:
        parts = [one.part for one in self.task.containers if one.status == RUNNING]
        if self._abrupt and parts:
            self._ecs.docker.run("kill", *(self._container(part.name).runtime_id for part in parts))
        for group in definition.stop_order(parts):
            threads = [threading.Thread(target=self._stop, args=(part,)) for part in group]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _stop(self, part: definition.Part) -> None:
        one = self._container(part.name)
        self._tried(lambda: self._ecs.docker.stop([one.runtime_id], grace=part.stop_seconds))
        self._tried(lambda: self._take_end(one))

    def _remove(self) -> None:
        if self.proxy is not None:
            self.proxy.close()
        for one in self.task.containers:
            one.status = STOPPED
        if self._made:
            self._ecs.docker.run("rm", "--force", "--volumes", *self._made)
        for name in self.task.definition.volumes:
            self._ecs.docker.run("volume", "rm", "--force", self._place.volume(name))

    def _container(self, name: str) -> Container:
        return next(one for one in self.task.containers if one.part.name == name)

    def _listed(self) -> dict[str, list[str]]:
        return {name: [*reached] for name, reached in self._reached.items()}
