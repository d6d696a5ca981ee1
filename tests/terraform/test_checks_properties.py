"""The seeds' properties over our own plans: nothing to find, and little that cannot be judged."""

from functools import cache

import pytest
import yaml

from temporal_dsql_deploy.checks import Judgement, Subject, judge, registry
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.telemetry import yaml_text
from temporal_dsql_deploy.terraform import configuration
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)

FAMILIES = {
    "network",
    "architecture",
    "exec",
    "logs",
    "secrets",
    "visibility",
    "ports",
    "services",
    "mounts",
    "telemetry",
    "dsql",
    "interface",
    "conditional",
}


@cache
def judged(name: str) -> Judgement:
    directory = plans.TERRAFORM / "envs" / plans.VARIANTS[name].environment
    subject = Subject(plans.of(name), configuration=configuration.read(directory))
    return judge(subject, [r for r in registry.rules().values() if r.family in FAMILIES])


@everywhere
def test_no_property_finds_anything_in_a_plan_of_ours(name: str) -> None:
    assert [(rule.id, found) for rule, found in judged(name).findings] == []


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_every_property_can_be_judged_of_an_environment(name: str) -> None:
    unsure = {o.rule.id: o.unjudged for o in judged(name).outcomes if o.verdict is Verdict.SKIP}
    assert unsure == {}


def test_every_property_that_is_not_of_identity_or_reach_has_a_rule() -> None:
    proven = {seed for o in judged("dev").outcomes for seed in o.rule.seeds}
    others = {4, 7, 8}
    assert {f"S0-PR{n}" for n in range(1, 16) if n not in others} <= proven


@everywhere
def test_the_place_of_every_resource_is_known(name: str) -> None:
    directory = plans.TERRAFORM / "envs" / plans.VARIANTS[name].environment
    found = configuration.read(directory)
    for resource in plans.of(name).resources:
        if resource.mode == "managed":
            place = found.place(resource.address)
            assert place, resource.address
            line = (directory / place[0]).read_text().splitlines()[place[1] - 1]
            assert line.startswith(f'resource "{resource.type}" "{resource.name}"')


@everywhere
def test_configurations_in_yaml_are_read_as_a_real_reader_reads_them(name: str) -> None:
    def as_text(value: object) -> object:
        if isinstance(value, dict):
            return {str(key): as_text(part) for key, part in value.items()}
        if isinstance(value, list):
            return [as_text(part) for part in value]
        if value is None:
            return None
        return str(value).lower() if isinstance(value, bool) else str(value)

    for parameter in plans.of(name).of_type("aws_ssm_parameter"):
        text = str(parameter["value"])
        if "prometheus.scrape" not in text:
            assert as_text(yaml_text.read(text)) == as_text(yaml.safe_load(text))
