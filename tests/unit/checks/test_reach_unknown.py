"""Whatever is known only after an apply: nothing breaks, and nothing is found by a guess."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.judge import judge
from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import UNKNOWN, Output, Plan, Resource
from tests.support.walled import walled


def hidden(value: Any, share: float, by: Random) -> Any:
    """The same with that share of its parts not known."""
    if by.random() < share:
        return UNKNOWN
    if isinstance(value, dict):
        return {key: hidden(part, share, by) for key, part in value.items()}
    if isinstance(value, list):
        return [hidden(part, share, by) for part in value]
    return value


def clouded(plan: Plan, share: float, by: Random) -> Plan:
    """The plan with that share of all attributes and outputs not known."""
    resources = tuple(
        Resource(
            **{
                **{name: getattr(one, name) for name in Resource.__slots__},
                "values": {key: hidden(value, share, by) for key, value in one.values.items()},
            }
        )
        for one in plan.resources
    )
    outputs = {name: Output(name, hidden(o.value, share, by)) for name, o in plan.outputs.items()}
    return Plan(plan.terraform_version, resources, outputs=outputs)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from((0.005, 0.02, 0.1, 0.5, 1.0)), st.integers(0, 2**32))
def test_what_is_not_known_is_never_a_finding(share: float, seed: int) -> None:
    plan = clouded(walled().plan(), share, Random(seed))  # noqa: S311 - makes it repeatable
    judged = judge(Subject(plan), FAMILY.rules)
    assert not [(rule.id, found) for rule, found in judged.findings]


def test_nothing_known_is_nothing_judged() -> None:
    judged = judge(Subject(clouded(walled().plan(), 1.0, Random(1))), FAMILY.rules)  # noqa: S311
    assert all(outcome.unjudged for outcome in judged.outcomes)
