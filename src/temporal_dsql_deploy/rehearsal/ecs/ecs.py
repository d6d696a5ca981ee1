"""The emulated ECS itself: what is there, and the threads that keep it going."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.platforms.cluster.containers import engine
from temporal_dsql_deploy.rehearsal import settings as settings_file
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT
from temporal_dsql_deploy.rehearsal.ecs import commands, dns, metadata, world
from temporal_dsql_deploy.rehearsal.ecs.connect import Namespaces
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition, overridden
from temporal_dsql_deploy.rehearsal.ecs.faults import Faults
from temporal_dsql_deploy.rehearsal.ecs.fleet import Fleet
from temporal_dsql_deploy.rehearsal.ecs.life import Life
from temporal_dsql_deploy.rehearsal.ecs.logs import Shipper
from temporal_dsql_deploy.rehearsal.ecs.model import (
    FARGATE,
    RUNNING,
    STOPPED,
    Alias,
    Container,
    Instance,
    Service,
    Task,
    new_id,
)
from temporal_dsql_deploy.rehearsal.network.addresses import Addresses
from temporal_dsql_deploy.rehearsal.network.walls import Walls
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings

_DNS = 53


class Ecs:
    """All clusters of the emulated account."""

    def __init__(self, path: Path, url: str) -> None:
        """`path` is the file of the settings, `url` where tasks reach the emulated AWS.

        Raises InvalidSetting, BinaryMissing, StartFailed, BinaryUnusable.
        """
        self.lock = threading.RLock()
        self.url = url
        self.services: dict[str, Service] = {}
        """By ARN."""
        self.tasks: dict[str, Task] = {}
        """By id."""
        self.lives: dict[str, Life] = {}
        self.fleets: dict[str, Fleet] = {}
        self.faults = Faults()
        self.namespaces = Namespaces()
        self.docker = engine.find()
        self.environ = dict(os.environ)
        self._path = path
        self._read_at = 0.0
        self._settings = settings_file.read(path)
        here = self._settings
        self.addresses = Addresses({here.gateway, *here.hosts.values()})
        self.walls = Walls(here.bridge, [here.gateway])
        self._remove_all()
        self.shipper = Shipper(world.write_log)
        self._metadata = metadata.serve(here.gateway, self._of_token)
        self._dns = dns.serve(here.gateway, _DNS, self.look_up)
        self._events: subprocess.Popen[str] | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True, name="docker events").start()
        threading.Thread(target=self._schedule, daemon=True, name="scheduler").start()

    def settings(self) -> RehearsalSettings:
        """What the file says now: it may be written anew while this runs."""
        changed = self._path.stat().st_mtime
        if changed != self._read_at:
            self._settings, self._read_at = settings_file.read(self._path), changed
        return self._settings

    def fleet(self, region: str) -> Fleet:
        """The container instances of a region."""
        if region not in self.fleets:
            boot = "instance_boot"
            self.fleets[region] = Fleet(region, self.faults, lambda: self.settings().second(boot))
        return self.fleets[region]

    def instance(self, arn: str) -> Instance | None:
        """One by its ARN, or the id at its end."""
        every = (one for fleet in self.fleets.values() for one in fleet.instances.values())
        wanted = arn.rpartition("/")[2]
        return next((one for one in every if one.arn.rpartition("/")[2] == wanted), None)

    def on(self, instance: Instance) -> list[Task]:
        """Tasks that take room on an instance."""
        return [
            one
            for one in self.tasks.values()
            if one.instance == instance.arn and one.status != STOPPED
        ]

    def of_service(self, arn: str) -> list[Task]:
        """Tasks of a service that are still there."""
        return [one for one in self.tasks.values() if one.service == arn and one.status != STOPPED]

    def make_task(self, definition: Definition, cluster: str, **more: Any) -> Task:
        """A task that waits for its place."""
        identity = new_id()
        head = cluster.replace(":cluster/", ":task/")
        overrides = more.get("overrides")
        containers = [
            Container(
                overridden(part, overrides),
                f"{cluster.replace(':cluster/', ':container/')}/{identity}/{new_id()}",
                token=f"{identity}-{number:010d}",
            )
            for number, part in enumerate(definition.parts)
        ]
        task = Task(
            id=identity,
            arn=f"{head}/{identity}",
            cluster=cluster,
            definition=definition,
            containers=containers,
            **more,
        )
        self.tasks[identity] = task
        return task

    def begin(self, task: Task, names: Mapping[str, Alias]) -> None:
        """Start a task that has its place."""
        if task.subnet:
            subnet = world.subnets(world.region_of(task.arn), [task.subnet])[0]
            task.address = self.addresses.take(subnet.cidr)
        self.lives[task.id] = Life(self, task, names)

    def stop(self, task: Task, code: str, reason: str, *, abrupt: bool = False) -> None:
        """Let a task end."""
        task.stop(code, reason)
        if life := self.lives.get(task.id):
            life.wake(abrupt=abrupt)
        elif task.status != STOPPED:
            task.stopped = time.time()
            task.status = STOPPED

    def ended(self, task: Task) -> None:
        """A task has ended: nothing runs for it any more."""
        with self.lock:
            self.lives.pop(task.id, None)

    def credentials(self, task: Task) -> dict[str, str]:
        """How programs in a task reach the emulated AWS, and nobody else."""
        found = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "emulated",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "AWS_EXECUTION_ENV": f"AWS_ECS_{task.launch}",
        }
        if task.launch == FARGATE:
            # On EC2 ECS says no region.
            region = world.region_of(task.arn)
            found |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return found

    def metadata_uri(self, token: str) -> str:
        """Where a container asks about itself."""
        host, port = self._metadata.server_address[:2]
        return f"http://{host!s}:{port}{metadata.PATH}{token}"

    def _of_token(self, token: str) -> tuple[Task, Container] | None:
        task = self.tasks.get(token.partition("-")[0])
        if task is None:
            return None
        return next(((task, one) for one in task.containers if one.token == token), None)

    def is_named(self, task: Task) -> bool:
        """Whether names lead to a task."""
        service = self.services.get(task.service)
        if service is None:
            return False
        asked = service.asked
        connect = asked.get("serviceConnectConfiguration") or {}
        return bool(asked.get("serviceRegistries") or connect.get("services"))

    def running(self) -> dict[str, list[str]]:
        """Addresses of the tasks that names may lead to, by their service.

        Those that are not well are left out, as long as others are.
        """
        found: dict[str, list[str]] = {}
        for service in list(self.services.values()):
            tasks = [one for one in self.of_service(service.arn) if _runs(one)]
            well = [one for one in tasks if one.ready]
            found[service.arn] = [one.address for one in well or tasks]
        return found

    def look_up(self, name: str) -> Sequence[str] | None:
        """The addresses of a DNS name; None where there is no such name."""
        hosts = self.settings().hosts
        if name in hosts:
            return [hosts[name]]
        with self.lock:
            running = self.running()
            for service in self.services.values():
                for registry in service.asked.get("serviceRegistries") or []:
                    if world.dns_name(registry["registryArn"]).lower() == name:
                        return running[service.arn] or None
        return None

    def complain(self, message: str) -> None:
        """Into the log of the emulated AWS."""
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """End everything, and remove it."""
        self._ended.set()
        if self._events is not None:
            self._events.kill()
        for life in list(self.lives.values()):
            if life.proxy is not None:
                life.proxy.close()
        self.shipper.close()
        self._metadata.shutdown()
        self._dns.shutdown()
        self._remove_all()

    def _remove_all(self) -> None:
        """Containers and volumes of this rehearsal, of an earlier process too."""
        mark = f"label={commands.LABEL}={self._settings.folder}"
        containers = self.docker.run("ps", "--all", "--quiet", "--filter", mark).split()
        if containers:
            self.docker.run("rm", "--force", "--volumes", *containers)
        volumes = self.docker.run("volume", "ls", "--quiet", "--filter", mark).split()
        if volumes:
            self.docker.run("volume", "rm", "--force", *volumes)

    def _watch(self) -> None:
        """Tell each task of its containers that end."""
        since = str(int(time.time()))
        mark = f"label={commands.LABEL}={self._settings.folder}"
        filters = [word for one in (mark, "event=die") for word in ("--filter", one)]
        asked = [self.docker.path, "events", *filters, "--format", "{{json .}}", "--since"]
        while not self._ended.is_set():
            self._events = subprocess.Popen(
                [*asked, since],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            for line in self._events.stdout or ():
                since = self._told(line)
            self._ended.wait(1)

    def _told(self, line: str) -> str:
        said = json.loads(line)
        life = self.lives.get(said["Actor"]["Attributes"].get(commands.TASK, ""))
        if life is not None:
            life.died(said["Actor"]["ID"])
        return str(said["time"])

    def _schedule(self) -> None:
        from temporal_dsql_deploy.rehearsal.ecs.scheduler import Scheduler

        scheduler = Scheduler(self)
        while not self._ended.wait(self.settings().second("tick")):
            try:
                scheduler.tick()
            except Exception as error:
                import traceback

                # One that fails is written down; the next may do better.
                traceback.print_exception(error, file=sys.stderr)
                sys.stderr.flush()


def _runs(task: Task) -> bool:
    return task.status == RUNNING and task.desired == RUNNING


def cluster_arn(region: str, name: str) -> str:
    """Of a cluster given by its name or its ARN."""
    short = name.rpartition("/")[2]
    return f"arn:aws:ecs:{region}:{ACCOUNT}:cluster/{short}"
