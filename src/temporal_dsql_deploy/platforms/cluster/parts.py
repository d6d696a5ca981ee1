"""The processes of a cluster: what each is started with."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import temporal_dsql_deploy.runtime
from temporal_dsql_deploy import topology
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import opensearch, postgresql
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, OPENSEARCH, SHARED, UI, Place
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.supervisor import Component
from temporal_dsql_deploy.platforms.protocol import STORES

RUNTIME = Path(temporal_dsql_deploy.runtime.__file__).parent
CONNECTIONS = 20
"""maxConns of each store of a role's process."""
_CONFIGURES = ("TEMPORAL_", "DSQL_", "PREFLIGHT", "ECS_", "OPENSEARCH_")
"""Variables of whoever calls that would change what a process does, by how they begin."""
_CONFIGURE = {"BIND_ON_IP", "DEPLOY_ENVIRONMENT", "AWS_REGION"}
DATA, PASSWORD = "postgresql", "postgresql.password"
DYNAMIC_CONFIG = "TEMPORAL_DYNAMIC_CONFIG"
_UI_CONFIG = """\
# enable-template
temporalGrpcAddress: {{ env "TEMPORAL_ADDRESS" }}
host: {{ env "TEMPORAL_UI_HOST" }}
port: {{ env "TEMPORAL_UI_PORT" }}
enableUi: true
disableNewsFetch: true
cors:
  cookieInsecure: true
  allowOrigins:
    - "http://{{ env "TEMPORAL_UI_HOST" }}:{{ env "TEMPORAL_UI_PORT" }}"
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One process as it is to run."""

    place: Place
    command: list[str]
    told: dict[str, Any]
    """What it is started with, as far as a change of it needs a restart."""
    variables: dict[str, str]
    """Environment variables that are its own."""

    def component(self, directory: Directory) -> Component:
        """It for the supervisor."""
        settings = {
            "component": self.place.component,
            "address": self.place.address,
            "ports": dict(self.place.ports),
            "told": self.told,
            "variables": self.variables,
        }
        return started(self.place.name, self.command, settings, directory)


def started(
    name: str, command: list[str], settings: Mapping[str, Any], directory: Directory
) -> Component:
    """A process with the settings of its record: as it is to run, or as it ran before."""
    return Component(
        name=name,
        command=list(command),
        record=directory.record(name),
        log=directory.log(name),
        environment={**_process_environment(os.environ), **settings["variables"]},
        settings=dict(settings),
        stop_signal=postgresql.STOP if settings["component"] == DATABASE else signal.SIGTERM,
    )


def _process_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_CONFIGURES) and name not in _CONFIGURE
    }


def all_parts(environment: str, settings: ClusterSettings, directory: Directory) -> list[Part]:
    """Every process in the order of their start."""
    places = settings.places()
    stores = {place.component: place for place in places if place.component in STORES}
    frontend = next(place for place in places if place.component == "frontend")
    found = []
    for place in places:
        if place.component == DATABASE:
            found.append(_database(place, settings, directory))
        elif place.component == OPENSEARCH:
            found.append(_opensearch(place, settings, directory))
        elif place.component == UI:
            found.append(_ui(place, frontend, settings, directory))
        else:
            found.append(_role(place, stores, environment, settings, directory))
    return found


def _database(place: Place, settings: ClusterSettings, directory: Directory) -> Part:
    folder, port = Path(settings.postgresql), place.ports["postgresql"]
    return Part(
        place=place,
        command=postgresql.command(folder, directory.root / DATA, place.address, port),
        told={"postgresql": str(folder), "listens": f"{place.address}:{port}"},
        variables={},
    )


def database(settings: Mapping[str, Any], directory: Directory) -> Database:
    """How the database is reached whose process has these settings. Raises OSError."""
    return Database(
        host=settings["address"],
        port=settings["ports"]["postgresql"],
        name=postgresql.DEFAULT,
        user=postgresql.USER,
        password=(directory.root / PASSWORD).read_text(),
    )


def _opensearch(place: Place, settings: ClusterSettings, directory: Directory) -> Part:
    folder = Path(settings.opensearch)
    return Part(
        place=place,
        command=opensearch.command(folder, directory.root / OPENSEARCH, place),
        told={"opensearch": str(folder), "listens": f"{place.address}:{place.ports['http']}"},
        variables=opensearch.variables(settings.java, directory.run / OPENSEARCH),
    )


def opensearch_url(settings: Mapping[str, Any]) -> str:
    """How the OpenSearch is reached whose process has these settings."""
    return f"http://{settings['address']}:{settings['ports']['http']}"


def _ui(place: Place, frontend: Place, settings: ClusterSettings, directory: Directory) -> Part:
    return Part(
        place=place,
        command=[settings.ui, "--root", str(directory.run), "--config", place.name, "start"],
        told={"program": settings.ui},
        variables={
            "TEMPORAL_ADDRESS": f"{frontend.address}:{frontend.ports['grpc']}",
            "TEMPORAL_UI_HOST": place.address,
            "TEMPORAL_UI_PORT": str(place.ports["http"]),
        },
    )


def write_ui_config(directory: Directory) -> None:
    """The file that the UI's server reads; its values are variables. Raises OSError."""
    folder = directory.run / UI
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "base.yaml").write_text(_UI_CONFIG)


def _role(
    place: Place,
    stores: Mapping[str, Place],
    environment: str,
    settings: ClusterSettings,
    directory: Directory,
) -> Part:
    database = stores[DATABASE]
    variables = {
        "BIND_ON_IP": place.address,
        "DEPLOY_ENVIRONMENT": environment,
        "TEMPORAL_SERVICES": place.component,
        "TEMPORAL_HISTORY_SHARDS": str(settings.shards),
        "TEMPORAL_SQL_PLUGIN_NAME": "postgres12_pgx",
        "TEMPORAL_SQL_HOST": database.address,
        "TEMPORAL_SQL_PORT": str(database.ports["postgresql"]),
        "TEMPORAL_SQL_DATABASE": postgresql.DEFAULT,
        "TEMPORAL_SQL_USER": postgresql.USER,
        "TEMPORAL_SQL_PASSWORD_FILE": str(directory.root / PASSWORD),
        "TEMPORAL_SQL_MAX_CONNS": str(CONNECTIONS),
        "TEMPORAL_SQL_MAX_IDLE_CONNS": str(CONNECTIONS),
        "TEMPORAL_SQL_MAX_CONN_LIFETIME": "1h",
        "TEMPORAL_SQL_TLS_ENABLED": "false",
        "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "false",
    }
    variables |= _visibility(stores.get(OPENSEARCH))
    variables |= _ports(place, settings.network)
    dynamic_config = dynamic(place.component, settings)
    if dynamic_config:
        variables[DYNAMIC_CONFIG] = json.dumps(dynamic_config, sort_keys=True)
    return Part(
        place=place,
        command=[
            *(sys.executable, "-IS", str(RUNTIME)),
            *("--config-dir", str(directory.run / place.name)),
            *("--server", settings.server),
        ],
        told={"server": settings.server},
        variables=variables,
    )


def _visibility(opensearch_at: Place | None) -> dict[str, str]:
    """Where visibility is: in SQL, or in an OpenSearch without TLS and signatures."""
    if opensearch_at is None:
        return {
            "TEMPORAL_VISIBILITY_STORE": "sql",
            "TEMPORAL_VISIBILITY_SQL_DATABASE": postgresql.VISIBILITY,
        }
    return {
        "TEMPORAL_VISIBILITY_STORE": "elasticsearch",
        "TEMPORAL_ELASTICSEARCH_SCHEME": "http",
        "TEMPORAL_ELASTICSEARCH_HOST": opensearch_at.address,
        "TEMPORAL_ELASTICSEARCH_PORT": str(opensearch_at.ports["http"]),
        "TEMPORAL_ELASTICSEARCH_VERSION": "v7",
        "TEMPORAL_ELASTICSEARCH_INDEX": opensearch.INDEX,
        "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "false",
    }


def _ports(place: Place, network: int) -> dict[str, str]:
    """Variables for ports that are not the standard ones, as all may be on a shared address."""
    house = topology.load()
    standard = {**house.roles[place.component].ports, "metrics": house.metrics_port}
    return {
        f"TEMPORAL_{name.upper()}_PORT": str(port)
        for name, port in place.ports.items()
        if network == SHARED or port != standard[name]
    }


def dynamic(role: str, settings: ClusterSettings) -> dict[str, Any]:
    """Dynamic config of a role: what was asked for, and no drain where nobody takes over."""
    alone = settings.replicas[role] == 1
    drains = {key.key: "0s" for key in topology.load().drain.roles[role].keys} if alone else {}
    return {**drains, **settings.dynamic_config}


def dynamic_file(part: Part, directory: Directory) -> tuple[Path, str] | None:
    """The file that a role reads its dynamic config from, again and again, and what is to be in it.

    None for what is no role, and where the runtime refuses its variables.
    """
    from temporal_dsql_deploy.runtime import address, entrypoint

    if part.place.component not in topology.load().roles:
        return None
    folder = directory.run / part.place.name
    made = entrypoint.render(part.variables, folder, address.this_machine())
    if isinstance(made, list):
        return None
    return entrypoint.dynamic_file(made, folder)
