"""The number of history shards: one for all roles, enough, and never another."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.contract.agreement import odd_ones
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, servers
from temporal_dsql_deploy.checks.contract.values import quoted, whole
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import tasks as plan_tasks
from temporal_dsql_deploy.plan.containers import containers
from temporal_dsql_deploy.plan.model import Action, Plan
from temporal_dsql_deploy.plan.tasks import Task

NAMES = ("TEMPORAL_HISTORY_SHARDS", "NUM_HISTORY_SHARDS")
"""The variable of our entrypoint, and the one of the stock image's template."""
PER_TASK = 16
"""Shards per history task, at least: with 2 for each, one task got none in 4 of 5 starts."""


def _known(subject: Subject) -> list[Place]:
    found = [place for place in servers(subject) if isinstance(place, Place)]
    if not found:
        raise CannotJudge("the containers are not known before an apply")
    return found


def _variable(place: Place) -> str:
    return next((name for name in NAMES if place.has(name)), NAMES[0])


@FAMILY.rule(
    "shards-same",
    holds="All roles are told the same number of history shards.",
    symptom="Roles would look for a workflow in different shards; the server overrules the number "
    "with the stored one, logs it, and the configuration goes on saying something else.",
    fix="Give all roles the number of the first start.",
    source="temporalio/temporal temporal/fx.go",
)
def shards_same(subject: Subject) -> Iterator[Said]:
    """The number that most roles have is taken for the one that is meant."""
    places = _known(subject)
    for name in NAMES:
        for place, usual in odd_ones(places, name):
            given = quoted(place.value(name))
            yield place.variable(name, f"{name} is {given}, in the other roles {quoted(usual)}")


@FAMILY.rule(
    "shards-enough",
    holds="There are at least 16 history shards for each history task that may run at one time.",
    symptom="A history task that owns no shard never says SERVING: with 4 shards and two tasks it "
    "happened in 4 of 5 starts, and ECS replaces such a task for ever.",
    fix="Choose more shards before the first start, or run fewer history tasks.",
    source="measured with temporal-server 1.32.2",
)
def shards_enough(subject: Subject) -> Iterator[Said]:
    """As many tasks as a deployment may run beside one another."""
    for place in _known(subject):
        if place.task.role != "history":
            continue
        name = _variable(place)
        shards, tasks = whole(place.value(name)), most_at_once(place.task)
        if shards is None or tasks is None:
            what = "shards" if shards is None else "history tasks"
            yield place.unjudged(f"the number of {what} is not known")
        elif shards < PER_TASK * tasks:
            yield place.variable(name, f"{shards} shards for up to {tasks} history tasks")
        else:
            yield Seen(f"{shards} shards, at most {tasks} history tasks")


def most_at_once(task: Task) -> int | None:
    """Tasks of a service while a deployment is under way; None where nothing says how many."""
    if task.service is None or task.replicas is None:
        return None
    percent = task.service["deployment_maximum_percent"]
    if percent is None:
        percent = 200
    if not isinstance(percent, int | float):
        return None
    return max(task.replicas, int(task.replicas * percent / 100))


@FAMILY.rule(
    "shards-fixed",
    holds="The number of history shards is the one that the cluster was started with.",
    symptom="The first start stored its number for ever: the server logs the other one and "
    "overrules it, and what was planned for more shards does not come.",
    fix="Set the number back; another number needs another cluster and another database.",
    source="temporalio/temporal temporal/fx.go",
)
def shards_fixed(subject: Subject) -> Iterator[Said]:
    """A database that is made anew may have another number."""
    before = _before(subject)
    if before is None:
        raise CannotJudge("what was there before is not known")
    if _new_database(subject):
        yield Seen("the database is new")
        return
    for place in _known(subject):
        name = _variable(place)
        now, then = whole(place.value(name)), before.get(place.task.role or "")
        if now is not None and then is not None and now != then:
            yield Finding(
                place.resource, place.attribute(f"environment.{name}"), f"{name} was {then}: {now}"
            )
        elif then is not None and now is None:
            yield Unjudged(place.resource, f"{name} is {quoted(place.value(name))}, was {then}")


def _before(subject: Subject) -> Mapping[str, int] | None:
    """Shards by role as they are now; empty where there is nothing yet, None where unknown."""
    if subject.before is not None:
        earlier = plan_tasks.tasks(subject.before)
        return {t.role: n for t in earlier if t.role and t.main and (n := _of(t.main.environment))}
    if not isinstance(subject.plan, Plan):
        return None
    roles = {t.definition.address: t.role for t in subject.tasks if t.role}
    changes = [c for c in subject.plan.changes if c.address in roles and c.before]
    return {
        str(roles[change.address]): shards
        for change in changes
        if (shards := _earlier(change.before or {})) is not None
    }


def _earlier(values: Mapping[str, Any]) -> int | None:
    found = (_of(container.environment) for container in containers(values) or ())
    return next((shards for shards in found if shards is not None), None)


def _of(environment: Mapping[str, str]) -> int | None:
    return next((n for name in NAMES if (n := whole(environment.get(name))) is not None), None)


def _new_database(subject: Subject) -> bool:
    if not isinstance(subject.plan, Plan):
        return False
    changes = [c for c in subject.plan.changes if c.type == "aws_dsql_cluster"]
    made = {Action.CREATE, Action.REPLACE}
    return bool(changes) and all(change.action in made for change in changes)
