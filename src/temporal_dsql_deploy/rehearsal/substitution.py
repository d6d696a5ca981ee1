"""What plays Aurora DSQL and OpenSearch, and the few variables of containers that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.persistence.database import INSTEAD
from temporal_dsql_deploy.rehearsal.result import StandIn

DATABASE = "database.rehearsal.internal"
"""The name of the PostgreSQL; the entrypoint refuses DSQL's with another plugin."""
SCHEMA = "/etc/temporal/schema/postgresql/v12/temporal"
"""In the image of the tools."""
Variables = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Stores:
    """How containers reach what plays the data stores."""

    user: str
    database: str
    password: str = field(repr=False)
    visibility: str
    """Host name of the OpenSearch domain, which leads to the OpenSearch of this machine."""

    @property
    def url(self) -> str:
        """Of the PostgreSQL, without the password."""
        port = topology.load().externals["database"].ports["postgresql"]
        return f"postgresql://{self.user}@{DATABASE}:{port}/{self.database}"


def environment(project: str, stores: Stores) -> dict[str, Variables]:
    """Variables to change, by families of task definitions; None leaves one out."""
    house = topology.load()
    https = house.externals["visibility"].ports["https"]
    changed: dict[str, Variables] = {
        f"{project}-temporal-{role}": _role(stores) for role in house.roles
    }
    tool = {INSTEAD: stores.url, "PGPASSWORD": stores.password}
    changed[f"{project}-schema-setup"] = {**tool, "DSQL_DEPLOY_SCHEMA": SCHEMA}
    changed[f"{project}-admin-task"] = tool
    server = f"http://{stores.visibility}:{https}"
    changed[f"{project}-opensearch-setup"] = {"ES_SERVER": server}
    return changed


def _role(stores: Stores) -> Variables:
    return {
        "CLUSTER_ENDPOINT": None,
        "TEMPORAL_SQL_PLUGIN_NAME": "postgres12_pgx",
        "TEMPORAL_SQL_HOST": DATABASE,
        "TEMPORAL_SQL_DATABASE": stores.database,
        "TEMPORAL_SQL_USER": stores.user,
        "TEMPORAL_SQL_PASSWORD": stores.password,
        "TEMPORAL_SQL_TLS_ENABLED": "false",
        "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "false",
        "TEMPORAL_ELASTICSEARCH_SCHEME": "http",
        "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "false",
    }


def words(changed: Mapping[str, Variables]) -> list[str]:
    """The changes for a person: names, and no value, of which one is a password."""
    said = []
    for family, variables in sorted(changed.items()):
        kept = ", ".join(sorted(name for name, value in variables.items() if value is not None))
        gone = ", ".join(sorted(name for name, value in variables.items() if value is None))
        without = f"; without {gone}" if gone else ""
        said.append(f"task definition {family}: {kept}{without}")
    return said


STAND_INS = (
    StandIn(
        "Aurora DSQL",
        "PostgreSQL behind the plugin postgres12_pgx",
        "the DSQL plugin, IAM tokens, TLS, optimistic concurrency, DSQL's limits and DDL",
    ),
    StandIn(
        "the OpenSearch domain",
        "OpenSearch on this machine, by plain HTTP and without signed requests",
        "TLS, the access policy of the domain, its sizes and shards over zones",
    ),
    StandIn(
        "AWS's control plane",
        "moto, extended: the ECS of it starts containers on this machine",
        "permissions, quotas, prices, capacity, and how long things take",
    ),
    StandIn(
        "the network of the VPC",
        "a bridge on this machine, nftables for the security groups",
        "routes, NAT, network ACLs, endpoints of AWS's APIs, latency, and anything but TCP",
    ),
)
