"""Rules about variables and outputs, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.interface import FAMILY
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.plan import UNKNOWN
from temporal_dsql_deploy.plan.configuration import Configuration, Declared, Module
from tests.support.check_plans import ROLES, good
from tests.support.draft import ABSENT, Break, Draft, every, only, verdicts

NAMES = (*ROLES, "ui", "grafana")
OTHERS: dict[str, str] = {
    "service_name": "shop-temporal-other",
    "task_definition_arn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-other:1",
}


def output(path: str) -> tuple[str, str]:
    return "", f"output.{path}"


ESSENTIAL = {
    "ecs_cluster_arn": "aws_ecs_cluster.main",
    "opensearch_endpoint": "aws_opensearch_domain.main",
    "dsql_cluster_endpoint": "aws_dsql_cluster.main",
    "prometheus_endpoint": "aws_prometheus_workspace.main",
}
BREAKS = [
    *(
        Break("interface-outputs", "outputs", name, (ABSENT, None, ""), (address, ""))
        for name, address in ESSENTIAL.items()
    ),
    Break("interface-outputs", "outputs", "ecs_exec_commands", (ABSENT, {}), ("", "outputs")),
    *(
        Break(
            "interface-true",
            "outputs",
            f"ecs_exec_commands.{name}",
            (command,),
            output(f"ecs_exec_commands.{name}"),
        )
        for name in NAMES
        for command in (
            f"aws ecs execute-command --cluster other --container temporal-{name}",
            "aws ecs execute-command --cluster shop-cluster --container other",
            "aws ecs execute-command --cluster shop-cluster --container collector-2",
            "aws ecs execute-command --region us-east-1 --cluster shop-cluster",
        )
    ),
    *(
        Break(
            "interface-same-part",
            "outputs",
            f"services.{name}.container_name",
            ("other",),
            output(f"services.{name}.container_name"),
        )
        for name in NAMES
    ),
    *(
        Break(
            "interface-same-part",
            "outputs",
            f"services.{name}.security_group_id",
            ("sg-other",),
            output(f"services.{name}.security_group_id"),
        )
        for name in NAMES
    ),
]


def declared(**variables: bool) -> Configuration:
    return Configuration(
        {
            "": Module("", {"region": Declared(described=True)}),
            "module.shop": Module(
                "./shop",
                {name: Declared(described=said) for name, said in variables.items()},
            ),
        }
    )


def test_outputs_of_a_good_plan_are_true() -> None:
    draft = good()
    draft.configuration = declared(size=True)
    assert set(verdicts(draft.judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.booleans(), max_size=8))
def test_property_13_of_variables(variables: dict[str, bool]) -> None:
    """Feature: temporal-ecs-fargate, Property 13: every variable has a description."""
    draft = good()
    draft.configuration = declared(**variables)
    found = draft.judged(FAMILY).of("interface-variables").findings
    assert {(one.resource, one.attribute) for one in found} == {
        ("module.shop", f"var.{name}") for name, said in variables.items() if not said
    }


@given(st.sampled_from(BREAKS), st.data())
def test_property_13(wrong: Break, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 13: outputs hold ARNs, names, endpoints, commands."""
    draft = good()
    names = st.from_regex(r"zz_[a-z]{1,9}", fullmatch=True)
    more = data.draw(st.dictionaries(names, st.integers() | st.none() | st.text(), max_size=4))
    draft.outputs.update(more)
    assert not draft.judged(FAMILY).of("interface-outputs").findings
    for name in more:
        del draft.outputs[name]
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", OTHERS)
def test_a_name_of_nothing_is_found(name: str, key: str) -> None:
    draft = good().put("outputs", f"services.{name}.{key}", OTHERS[key])
    judged = draft.judged(FAMILY)
    for rule in ("interface-true", "interface-same-part"):
        found = judged.of(rule).findings
        assert [one.attribute for one in found] == [f"output.services.{name}.{key}"]


@pytest.mark.parametrize("key", ["service_name", "task_definition_arn"])
def test_a_name_of_another_service_is_found(key: str) -> None:
    draft = good()
    draft.put("outputs", f"services.history.{key}", draft.outputs["services"]["worker"][key])
    judged = draft.judged(FAMILY)
    (found,) = judged.of("interface-same-part").findings
    assert found.attribute == f"output.services.history.{key}"


def test_services_that_nobody_names_are_found() -> None:
    draft = good().put("outputs", "services.history", ABSENT)
    judged = draft.judged(FAMILY)
    assert judged.of("interface-same-part").findings[0].resource == "aws_ecs_service.history"
    assert judged.of("interface-outputs").findings[0].resource == "aws_ecs_service.history"
    draft = good()
    draft.outputs["services"]["other"] = {}
    assert only(draft.judged(FAMILY), "interface-same-part")[0].attribute == "output.services.other"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database", "zyxwvutsrqponmlkjihgfedcba.dsql.eu-west-1.on.aws"),
        ("domain", "vpc-other.eu-west-1.es.amazonaws.com"),
        ("metrics", "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-other/"),
        ("vpc_id", "vpc-other"),
        ("private_subnet_ids", ["subnet-private-a", "subnet-other"]),
        ("asg_names", {"main": "other"}),
        ("capacity_provider_names", {"history": "other"}),
        ("log_group_name", "/shop/other"),
        ("kms_key_arn", "arn:aws:kms:eu-west-1:123456789012:key/other"),
        ("cluster", "arn:aws:ecs:eu-west-1:123456789012:cluster/other"),
    ],
)
def test_what_the_plan_does_not_make_is_found(name: str, value: Any) -> None:
    draft = good()
    draft.outputs[name] = value
    (found,) = only(draft.judged(FAMILY), "interface-true")
    assert found.attribute.startswith(f"output.{name}")


def test_a_dns_name_is_one_that_is_registered() -> None:
    draft = good()
    draft.add("aws_service_discovery_private_dns_namespace.main", id="ns-1", name="shop.internal")
    draft.add("aws_service_discovery_service.frontend", name="temporal-frontend")
    draft.outputs["frontend_address"] = "temporal-frontend.shop.internal:7233"
    assert not draft.judged(FAMILY).findings
    draft.outputs["loki_endpoint"] = "http://loki.shop.internal:3100"
    assert only(draft.judged(FAMILY), "interface-true")[0].attribute == "output.loki_endpoint"


def test_what_is_not_known_is_not_judged() -> None:
    draft = good().put("outputs", "ecs_cluster_arn", UNKNOWN)
    assert verdicts(draft.judged(FAMILY))["interface-outputs"] is Verdict.SKIP
    draft = good().put("outputs", "services", UNKNOWN)
    assert verdicts(draft.judged(FAMILY))["interface-same-part"] is Verdict.SKIP
    draft = good().put("aws_ecs_service.ui", "name", UNKNOWN)
    assert not draft.judged(FAMILY).of("interface-true").findings
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}
