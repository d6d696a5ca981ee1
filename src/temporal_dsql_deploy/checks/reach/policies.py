"""Policies of VPC endpoints: do they let pass what is called?"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach.calls import actions
from temporal_dsql_deploy.checks.reach.network import Endpoint
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject

_LAYERS = "arn:aws:s3:::prod-{region}-starport-layer-bucket/layer"


@FAMILY.rule(
    "endpoint-policy",
    holds=(
        "The policy of a VPC endpoint lets its callers' actions pass, and that of s3 also the "
        "layers of images, which lie in a bucket of AWS."
    ),
    symptom=(
        "Calls answer `AccessDeniedException`, or `no VPC endpoint policy allows` the action; "
        "tasks stop with `CannotPullContainerError` and 403 where it is about layers of images."
    ),
    fix="Allow the action in the policy, or leave the policy out: the roles' policies hold anyway.",
    source="PrivateLink guide, endpoint policies; Amazon ECR user guide, vpc-endpoints",
    seeds=("S0-PR4", "S1-3.4*"),
)
def endpoint_policy(subject: Subject) -> Iterator[Said]:
    """Policies of endpoints that somebody calls."""
    found = survey(subject)
    looked = 0
    for one in found.network.endpoints:
        called = any(calls.get(one.api) for calls in found.calls.values())
        text = one.resource["policy"]
        if not called or not isinstance(text, str):
            continue  # Without a policy everything passes.
        looked += 1
        statements = _statements(text)
        if statements is None:
            yield Unjudged(one.resource.address, "its policy cannot be read")
            continue
        yield from _lacking(found, one, statements)
    if not looked:
        raise CannotJudge("no endpoint that is called has a policy that is known")
    yield Seen(f"{looked} policies")


def _lacking(found: Survey, one: Endpoint, statements: list[Mapping[str, Any]]) -> Iterator[Said]:
    for action, resource, own in _wanted(found, one.api):
        if not _passes(statements, action, resource, own=own):
            what = f"{action} on {resource}" if resource else action
            yield Finding(one.resource.address, "policy", f"the policy does not let {what} pass")


def _wanted(found: Survey, api: str) -> Iterator[tuple[str, str, bool]]:
    """Action, resource (empty for any), and whether that belongs to the account."""
    secrets = [arn for arn in _secrets(found) if f":{api}:" in arn]
    for action in actions(api):
        yield from ((action, arn, True) for arn in secrets or [""])
    if api != "s3":
        return
    if any(calls.get("ecr.api") for calls in found.calls.values()):
        yield "s3:GetObject", _LAYERS.format(region=found.network.region or "*"), False
    if any(party.name == "loki" and calls.get(api) for party, calls in found.calls.items()):
        yield "s3:PutObject", "", True


def _secrets(found: Survey) -> set[str]:
    """ARNs of all secrets and parameters of tasks, without the key within."""
    return {
        ":".join(arn.split(":")[:7])
        for task in found.subject.tasks
        for container in task.containers or ()
        for arn in container.secrets.values()
    }


def _passes(statements: list[Mapping[str, Any]], action: str, resource: str, *, own: bool) -> bool:
    """Whether an action of the account's callers passes, on a resource or on some.

    Conditions are taken to hold, but for the one that asks for the account's own resources.
    """
    allowed = False
    for statement in statements:
        if not _matches(statement.get("Action"), action.lower(), lower=True):
            continue
        on_it = not resource or _matches(statement.get("Resource"), resource)
        if statement.get("Effect") == "Deny":
            if not statement.get("Condition") and _matches(statement.get("Resource"), "*"):
                return False
        elif on_it and (own or not _own_only(statement)):
            allowed = True
    return allowed


def _own_only(statement: Mapping[str, Any]) -> bool:
    return "aws:resourceaccount" in json.dumps(statement.get("Condition") or {}).lower()


def _matches(patterns: Any, value: str, *, lower: bool = False) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(
        fnmatchcase(value, one.lower() if lower else one) for one in listed if isinstance(one, str)
    )


def _statements(text: str) -> list[Mapping[str, Any]] | None:
    try:
        found = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        return None
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, Mapping)]
