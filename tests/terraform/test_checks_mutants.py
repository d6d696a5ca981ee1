"""Mutants of an environment's plan, and a sample of them: the rule meant for each sees it."""

import json
from pathlib import Path
from random import Random

import pytest

from temporal_dsql_deploy.checks import registry
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.plan.model import Resource
from tests.campaign import mutants as campaign
from tests.support import plans
from tests.support.mutants import Mutant, judging, mutants
from tests.support.mutants.judging import Equivalent, Verdict

SEED = 20_261_121
SAMPLE = 300
pytestmark = pytest.mark.needs("terraform")


@pytest.fixture(scope="module", name="dev")
def dev_plan() -> Plan:
    return plans.of("dev")


@pytest.fixture(scope="module", name="every")
def every_mutant(dev: Plan) -> list[Mutant]:
    return list(mutants(dev))


def test_a_sample_is_seen_by_the_rules_that_are_meant_for_it(
    dev: Plan, every: list[Mutant]
) -> None:
    chosen = Random(SEED).sample(every, SAMPLE)  # noqa: S311 - a seed makes it repeatable
    verdicts = list(judging.verdicts("dev", dev, chosen))
    entries = judging.equivalents()
    score = campaign.score(verdicts, entries)
    missed = [one.key for one in verdicts if not one.meant]
    unexpected = [one for one in missed if not any(judging.about(entry, one) for entry in entries)]
    assert score.share >= campaign.GOAL, unexpected
    # An entry may be about none of a sample, but never about what a rule sees.
    seen = [one for one in judging.mistakes(verdicts, entries) if "equivalent of what" in one]
    assert seen == []


def test_each_thing_of_a_plan_is_deleted_once(dev: Plan, every: list[Mutant]) -> None:
    """Counted in another way than by the table of places."""
    deleted = [one for one in every if one.what == "deleted"]

    def count(kind: str) -> int:
        return sum(one.kind == kind for one in deleted)

    inside = [each for task in plans.tasks(dev).values() for each in plans.inside(task)]
    assert count("environment") == sum(len(each.environment) for each in inside)
    assert count("secret") == sum(len(each.secrets) for each in inside)
    assert count("port") == sum(len(each.ports) for each in inside)
    ways = [f"aws_vpc_security_group_{way}_rule" for way in ("ingress", "egress")]
    assert count("firewall rule deleted") == len(dev.of_type(*ways))
    services = dev.of_type("aws_ecs_service")
    assert count("replicas") == len(dev.outputs["services"].value) + len(services)
    assert count("service deleted") == len(services)
    policies = dev.of_type("aws_iam_role_policy")
    assert count("iam action") == sum(len(_actions(policy)) for policy in policies)
    gone = {one.address for one in deleted if one.kind == "endpoint" and not one.attribute}
    assert gone == {each.address for each in dev.of_type("aws_vpc_endpoint")}


def _actions(policy: Resource) -> list[str]:
    found: list[str] = []
    for statement in json.loads(policy["policy"])["Statement"]:
        action = statement["Action"]
        found += [action] if isinstance(action, str) else action
    return found


def test_each_mutant_has_a_name_of_its_own_and_is_another_plan(
    dev: Plan, every: list[Mutant]
) -> None:
    assert len({one.id for one in every}) == len(every)
    for mutant in every:
        made = mutant.make()
        assert (made.resources, made.outputs) != (dev.resources, dev.outputs), mutant.id


def test_a_mutant_alters_one_thing_in_what_will_be_and_in_what_changes(
    dev: Plan, every: list[Mutant]
) -> None:
    for mutant in every[::7]:
        made = mutant.make()
        before = {one.address: one for one in dev.resources}
        after = {one.address: one for one in made.resources}
        altered = {name for name in before if after.get(name) is not before[name]}
        assert altered <= {mutant.address}
        changes = {change.address: change.after for change in made.changes}
        if mutant.address in after:
            assert changes[mutant.address] == after[mutant.address].values
        else:
            assert mutant.address not in changes or mutant.address.startswith("output.")


def test_every_kind_has_rules_that_are_meant_for_it_and_every_such_rule_is_there(
    every: list[Mutant],
) -> None:
    others = {one.kind for name in campaign.BESIDE for one in mutants(plans.of(name))}
    assert {one.kind for one in every} | others == set(judging.meant())
    begins = {begin for kind in judging.meant().values() for begin in kind}
    rules = tuple(registry.rules())
    assert [begin for begin in begins if not any(r.startswith(begin) for r in rules)] == []


def _verdict(name: str, *rules: str, meant: bool = False) -> Verdict:
    return Verdict("dev", "port", name, "deleted", rules, meant)


def test_an_entry_about_nothing_and_one_about_a_mutant_that_is_seen_are_mistakes() -> None:
    verdicts = [_verdict("port: a: deleted", "ports-role"), _verdict("port: b: deleted")]
    entries = [Equivalent(r"dev: port: [ab]: .*", "x"), Equivalent("dev: nothing", "y")]
    assert judging.mistakes(verdicts, entries) == [
        "dev: port: [ab]: .* says equivalent of what ports-role sees: dev: port: a: deleted",
        "dev: nothing matches no mutant",
    ]
    assert judging.mistakes(verdicts, [Equivalent("dev: port: b: deleted", "x")]) == []


def test_a_report_counts_by_kind_and_lists_what_nobody_saw() -> None:
    verdicts = [
        _verdict("port: a: deleted", "ports-role", meant=True),
        _verdict("port: b: deleted", "logs-group"),
        _verdict("port: c: deleted"),
        _verdict("port: d: deleted"),
    ]
    entries = [Equivalent(".* d: .*", "nobody asks for d")]
    assert campaign.score(verdicts, entries).share == 1 / 3
    page = campaign.report(verdicts, entries, date="2026-11-21", seed=3)
    assert "| port | 4 | 2 | 1 | 1 | 1 |" in page
    assert "**1 of 3 mutants" in page
    assert "| 1 | `dev: port: d: deleted` | nobody asks for d |" in page
    assert "| `dev: port: b: deleted` | logs-group |" in page
    assert "| `dev: port: c: deleted` | none |" in page


def test_mutants_that_were_judged_are_not_judged_again(tmp_path: Path, dev: Plan) -> None:
    progress = tmp_path / "progress.jsonl"
    said: list[str] = []
    small = Plan("", resources=dev.of_type("aws_route"))
    first = campaign.run({"dev": small}, progress, said.append)
    assert said == [f"dev: {len(first)} mutants to judge"]
    assert campaign.run({"dev": small}, progress, said.append) == first
    assert said[1:] == ["dev: 0 mutants to judge"]
