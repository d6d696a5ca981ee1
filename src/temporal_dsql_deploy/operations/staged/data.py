"""What servers find in their stores: the schema in DSQL, the index in OpenSearch."""

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations import schema_task
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.operations.visibility import task as visibility_task
from temporal_dsql_deploy.platforms.ecs import services
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

_SCHEMA = ["schema", "setup"]


def schema(work: Work) -> Step:
    """The tables of the default store, made by a task inside the VPC."""
    return Step(
        "schema",
        "the schema that the server wants is in DSQL",
        lambda: _look(work),
        lambda doing: _set_up_schema(work, doing),
    )


def visibility(work: Work) -> Step:
    """The index, made by a task inside the VPC."""
    return Step(
        "visibility",
        "the index that the server wants is in OpenSearch",
        lambda: _look(work),
        lambda doing: _set_up_index(work, doing),
    )


def _look(work: Work) -> Seen:
    """Neither store is reached from here, but a server that serves has used both.

    Of DSQL it compares the schema's version when it starts, and does not start with an older one
    (temporal/fx.go, verifyPersistenceCompatibleVersion). The index it takes as it is: field by
    field it is compared by `visibility status` and by the probe.
    """
    role = _serving(work.deployed())
    if role is None:
        return Seen(False, "no server has run with its present task definition to tell")
    return Seen(True, f"{role} runs with its present task definition, and so it is there")


def _serving(deployed: Deployed) -> str | None:
    """A role whose present task definition runs and is healthy."""
    roles = [one for one in deployed.components if one in topology.load().roles]
    for role, service in services.look(deployed, Clients.of(deployed.region), roles).items():
        primary = service.primary
        if (
            primary is not None
            and primary.task_definition == deployed.service(role)["task_definition_arn"]
            and primary.rollout == "COMPLETED"
            and primary.running > 0
        ):
            return role
    return None


def _set_up_schema(work: Work, doing: Doing) -> str:
    done = schema_task.run(work.deployed(), [*_SCHEMA, work.name], doing.news)
    return f"task {done.task} has set the schema up"


def _set_up_index(work: Work, doing: Doing) -> str:
    done = visibility_task.run(work.deployed(), doing.news, limit=work.how.wait)
    return f"task {done.task} has made the index"
