"""The containers of one cluster, asked and changed by Docker and Compose."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import postgresql
from temporal_dsql_deploy.platforms.cluster.containers import compose, container, engine
from temporal_dsql_deploy.platforms.cluster.containers.container import SCHEMA, Container
from temporal_dsql_deploy.platforms.cluster.containers.engine import Engine
from temporal_dsql_deploy.platforms.cluster.containers.settings import ContainerSettings
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE
from temporal_dsql_deploy.platforms.processes import log_lines
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.protocol import STORES

SECRETS = "secrets"
_VOLUME = "database"
_SECONDS = 300.0
"""How long Compose may take: nothing that it does here waits for a cluster."""
_NAME = 40
"""Letters of an environment's name in that of its project."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A cluster's Compose project."""

    engine: Engine
    directory: Directory
    known: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)
    """Hashes by what Compose was told: it takes a second to answer."""

    @property
    def project(self) -> str:
        """The name of the project: one for each data directory."""
        name = re.sub(r"[^a-z0-9]+", "-", self.directory.environment.lower()).strip("-")
        mark = hashlib.sha256(str(self.directory.root).encode()).hexdigest()[:8]
        return f"temporal-{name[:_NAME]}-{mark}"

    @property
    def volume(self) -> str:
        """The volume of the database."""
        return f"{self.project}_{_VOLUME}"

    @property
    def password(self) -> Path:
        """The file of the database's password.

        In the containers others than its owner have to read it, so its folder is closed instead.
        """
        return self.directory.root / SECRETS / "database_password"

    def write_password(self) -> None:
        """Make the password if there is none. Raises OSError."""
        self.password.parent.mkdir(mode=0o700, exist_ok=True)
        if self.password.exists():
            return
        beside = self.password.with_suffix(".new")
        beside.write_text(secrets.token_urlsafe(24))
        os.chmod(beside, 0o644)  # noqa: PTH101 - see `password`
        beside.replace(self.password)

    def everything(self) -> dict[str, Container]:
        """All that is there by name, in the order of start, the schema's container too."""
        return container.read(self.engine.of_project(self.project))

    def containers(self) -> dict[str, Container]:
        """All that is there but the schema's, which runs once."""
        return {name: one for name, one in self.everything().items() if name != SCHEMA}

    def hashes(self, settings: ContainerSettings) -> dict[str, str]:
        """What each service's containers would have as their hash with these settings."""
        told = json.dumps(asdict(settings), sort_keys=True)
        if told not in self.known:
            said = self._compose(self._on_project().hashes(), settings)
            self.known[told] = compose.parse_hashes(said)
        return self.known[told]

    def create(
        self, settings: ContainerSettings, there: Collection[Container], *, only_missing: bool
    ) -> None:
        """Make the containers of these settings; none that is there already goes for its number."""
        project, scale = self._on_project(), container.scale(settings.replicas, there)
        self._compose(project.prepare(DATABASE), settings, scale)
        self._compose(project.create(only_missing=only_missing), settings, scale)

    def remove(self, settings: ContainerSettings, *, volumes: bool) -> None:
        """Remove containers and network, and on demand the data."""
        self._compose(self._on_project().remove(volumes=volumes), settings)

    def _on_project(self) -> compose.Project:
        return compose.find(self.engine).on(self.project, compose.file())

    def _compose(
        self,
        words: Sequence[str],
        settings: ContainerSettings,
        scale: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        variables = settings.variables(self.directory.environment, self.password)
        return engine.run(words, compose.environment({**variables, **scale}), seconds=_SECONDS)

    def stop(self, wanted: Mapping[str, Container], *, grace: float) -> list[str]:
        """Stop containers, clients before what they ask; the names of those that were killed."""
        order = [step.component for step in topology.load().stop_order]
        clients = order[: order.index("frontend")]
        for stage in (clients, [*order[len(clients) :], SCHEMA], STORES):
            self.engine.stop(
                [
                    one.id
                    for one in wanted.values()
                    if one.settings["component"] in stage and one.alive()
                ],
                grace=grace,
            )
        now = self.everything()
        return [
            name
            for name, before in wanted.items()
            if before.alive() and name in now and (ended := now[name].exit) and ended.code == -9
        ]

    def broken(self, wanted: Collection[str]) -> StartFailed | None:
        """Why one of these has ended; None while all run."""
        there = self.containers()
        for name in wanted:
            one = there.get(name)
            if one is None or not one.alive():
                return self.failed(name, one)
        return None

    def failed(self, name: str, one: Container | None) -> StartFailed:
        """The error for one that does not run and should."""
        how = one.how() if one else "is not there"
        said = self.said(one) if one else ""
        return StartFailed(
            f"{name} {how} before it was ready",
            cause="the end of its log:\n" + "\n".join(log_lines.complaints(said)),
            fix=f"the whole log: dsql-deploy logs ENV --component {name}",
        )

    def said(self, one: Container) -> str:
        """What a container has said since it was last started."""
        return self.engine.logged(one.id, since=one.started_at)

    def database(self, there: Mapping[str, Container]) -> Database | None:
        """How the database is reached; None where it does not run. Raises OSError."""
        one = there.get(DATABASE)
        if one is None or not one.alive():
            return None
        return Database(
            host=one.settings["address"],
            port=one.settings["ports"]["postgresql"],
            name=postgresql.DEFAULT,
            user=postgresql.USER,
            password=self.password.read_text(),
        )
