"""Rules about services, their capacity and their names, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.services import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import NAMESPACE, ROLES, arn, good
from tests.support.draft import ABSENT, SERVICE, TASK, Break, Draft, every, only, verdicts

NAMES = (*ROLES, "ui", "grafana")
CONNECT = "service_connect_configuration"
PROVIDER = "aws_ecs_capacity_provider.main"
TIE = "aws_ecs_cluster_capacity_providers.main"
GROUP = "aws_autoscaling_group.main"
SCALED = "auto_scaling_group_provider.0"
FRONTEND = f"{SERVICE}.frontend"
BREAKS = [
    *(
        Break("services-network-mode", f"{TASK}.{name}", "network_mode", ("bridge", "host", None))
        for name in (*NAMES, "setup")
    ),
    *(
        Break(
            "services-count",
            "outputs",
            f"services.{role}.replicas",
            (0,),
            (f"{SERVICE}.{role}", "desired_count"),
        )
        for role in ROLES
    ),
    *(
        Break("services-provider", f"{SERVICE}.{name}", path, values)
        for name in NAMES
        for path, values in (("capacity_provider_strategy.0.capacity_provider", ("other",)),)
    ),
    *(
        Break(
            "services-cluster", f"{SERVICE}.{name}", "cluster", (arn("ecs", "cluster/other"), None)
        )
        for name in NAMES
    ),
    *(
        Break(
            "services-rollback",
            f"{SERVICE}.{name}",
            f"deployment_circuit_breaker.0.{key}",
            (False,),
        )
        for name in NAMES
        for key in ("enable", "rollback")
    ),
    Break(
        "services-rollback",
        f"{SERVICE}.ui",
        "deployment_circuit_breaker",
        ([],),
        (f"{SERVICE}.ui", "deployment_circuit_breaker.0.enable"),
    ),
    *(
        Break("services-rollout", f"{SERVICE}.{name}", "deployment_maximum_percent", (100, 150, 50))
        for name in NAMES
    ),
    *(
        Break("services-rollout", f"{SERVICE}.{role}", "deployment_minimum_healthy_percent", (0,))
        for role in ROLES
    ),
    Break("services-scaling", PROVIDER, f"{SCALED}.managed_scaling.0.status", ("DISABLED", None)),
    Break("services-scaling", PROVIDER, f"{SCALED}.managed_draining", ("DISABLED",)),
    Break("services-scaling", PROVIDER, f"{SCALED}.managed_termination_protection", ("DISABLED",)),
    Break(
        "services-scaling",
        PROVIDER,
        f"{SCALED}.auto_scaling_group_arn",
        (arn("autoscaling", "autoScalingGroup:2:autoScalingGroupName/other"),),
    ),
    Break("services-scaling", PROVIDER, f"{SCALED}.managed_scaling.0.target_capacity", (0, 101)),
    Break("services-scaling", GROUP, "protect_from_scale_in", (False, None)),
    Break("services-scaling", GROUP, "max_size", (0,)),
    Break("services-scaling", GROUP, "min_size", (7,)),
    Break("services-scaling", GROUP, "desired_capacity", (9,)),
    Break("services-scaling", GROUP, "tag", ([{"key": "Name", "value": "x"}],)),
    Break(
        "services-attached",
        TIE,
        "default_capacity_provider_strategy.0.capacity_provider",
        ("other",),
    ),
    Break("services-attached", TIE, "cluster_name", ("other",)),
    Break("services-attached", TIE, "capacity_providers", (["shop-main", "other"],)),
    *(
        Break("services-namespace", f"{SERVICE}.{name}", f"{CONNECT}.0.namespace", ("other", None))
        for name in ("frontend", "ui")
    ),
    Break(
        "services-frontend",
        FRONTEND,
        f"{CONNECT}.0.service.0.port_name",
        ("membership", "metrics", "other", None),
    ),
    Break(
        "services-clients",
        FRONTEND,
        f"{CONNECT}.0.service.0.client_alias.0.port",
        (723, 72330),
        (f"{TASK}.ui", "container_definitions.0.environment.TEMPORAL_ADDRESS"),
    ),
    Break(
        "services-namespace",
        "aws_ecs_cluster.main",
        "service_connect_defaults",
        ([{"namespace": "other"}], [{"namespace": ""}]),
        ("aws_ecs_cluster.main", "service_connect_defaults.0.namespace"),
    ),
    Break(
        "services-attached",
        "aws_ecs_capacity_provider.main",
        "",
        (ABSENT,),
        (TIE, "capacity_providers"),
    ),
    Break("services-scaling", GROUP, "", (ABSENT,), (PROVIDER, f"{SCALED}.auto_scaling_group_arn")),
    *(
        Break(
            "services-others",
            f"{SERVICE}.{name}",
            CONNECT,
            ([{"enabled": True, "namespace": NAMESPACE, "service": [{"port_name": "grpc"}]}],),
            (f"{SERVICE}.{name}", f"{CONNECT}.0.service"),
        )
        for name in ("history", "matching", "worker")
    ),
    Break(
        "services-clients",
        "ui/0",
        "environment.0.value",
        ("temporal-frontend", "temporal-frontend:7234", "", "other:7233"),
        (f"{TASK}.ui", "container_definitions.0.environment.TEMPORAL_ADDRESS"),
    ),
    Break("services-clients", f"{SERVICE}.ui", f"{CONNECT}.0.enabled", (False,)),
]


def test_the_services_of_a_good_plan_are_as_they_should_be() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(ROLES), st.data())
def test_property_12(role: str, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 12: five task definitions and five services.

    Counted by role: a task that has Temporal in its name is no sixth one.
    """
    draft = good()
    extra = data.draw(st.from_regex(r"temporal-[a-z]{3,12}", fullmatch=True))
    draft.values[f"{TASK}.extra"] = {
        **draft.task("setup"),
        "family": f"shop-{extra}-tool",
        "arn": arn("ecs", "task-definition/x:1"),
    }
    draft.containers["extra"] = [{"name": extra, "image": "example.com/tool:1"}]
    assert not draft.judged(FAMILY).findings
    way = data.draw(st.sampled_from(["service", "both", "second"]))
    if way == "second":
        draft.values[f"{SERVICE}.again"] = {**draft.service(role), "name": "shop-again"}
        found = draft.judged(FAMILY).of("services-own-definition").findings
        assert f"{SERVICE}.again" in [one.resource for one in found]
        return
    if way == "service":
        draft.without(f"{SERVICE}.{role}")
        where = f"{TASK}.{role}"
    else:
        draft.without(f"{SERVICE}.{role}", f"{TASK}.{role}")
        where = ""
    found = draft.judged(FAMILY).of("services-five").findings
    assert [one.resource for one in found] == [where]


@given(st.sampled_from([one for one in BREAKS if CONNECT in one.path]), st.data())
def test_property_11(wrong: Break, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 11: Service Connect, as followed.

    The frontend serves a name, its clients can resolve it, and nobody else serves one.
    """
    draft = good()
    label = data.draw(st.from_regex(r"[a-z][a-z0-9-]{1,20}", fullmatch=True))
    alias = {"dns_name": label, "port": data.draw(st.integers(1, 65535))}
    draft.put(FRONTEND, f"{CONNECT}.0.service.0.client_alias", [alias])
    draft.put("ui/0", "environment.0.value", f"{label}:{alias['port']}")
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def test_a_name_without_an_alias_is_found() -> None:
    draft = good().put(FRONTEND, f"{CONNECT}.0.service.0.client_alias", [])
    rules = {rule.id for rule, _ in draft.judged(FAMILY).findings}
    assert rules == {"services-frontend", "services-clients"}


def test_a_second_ui_is_found() -> None:
    draft = good()
    draft.values[f"{SERVICE}.again"] = {**draft.service("ui"), "name": "shop-again"}
    assert [one.evidence for one in draft.judged(FAMILY).of("services-five").findings] == [
        "a second UI"
    ]


def test_two_services_of_one_definition_are_found() -> None:
    draft = good().put(f"{SERVICE}.history", "task_definition", good().task("worker")["arn"])
    judged = draft.judged(FAMILY)
    found = {one.resource for one in judged.of("services-own-definition").findings}
    assert found == {f"{SERVICE}.history", f"{SERVICE}.worker"}
    draft.put(f"{SERVICE}.history", "task_definition", "other:1")
    found = {one.resource for one in draft.judged(FAMILY).of("services-own-definition").findings}
    assert found == {f"{SERVICE}.history"}


def test_a_launch_type_takes_no_part_in_scaling() -> None:
    draft = good().put(f"{SERVICE}.ui", "capacity_provider_strategy", [])
    assert not draft.judged(FAMILY).findings
    draft.put(f"{SERVICE}.ui", "launch_type", "EC2")
    (found,) = only(draft.judged(FAMILY), "services-provider")
    assert (found.resource, found.attribute) == (f"{SERVICE}.ui", "launch_type")
    draft.put(f"{SERVICE}.ui", "launch_type", "FARGATE")
    assert not draft.judged(FAMILY).findings
    draft.put(f"{SERVICE}.ui", "launch_type", None)
    draft.put(TIE, "default_capacity_provider_strategy", [])
    assert only(draft.judged(FAMILY), "services-provider")


def test_a_provider_that_is_not_attached_is_found() -> None:
    draft = good().put(TIE, "capacity_providers", [])
    found = draft.judged(FAMILY).of("services-attached").findings
    assert PROVIDER in {one.resource for one in found}
    assert draft.judged(FAMILY).of("services-provider").findings


@pytest.mark.parametrize(
    ("role", "tasks", "least", "most", "well"),
    [
        ("history", 4, 75, 100, True),
        ("history", 4, 100, 100, False),
        ("history", 4, 25, 100, False),
        ("history", 4, 100, 200, False),
        ("history", 4, 100, 125, True),
        ("worker", 2, 50, 100, True),
        ("frontend", 3, 100, 134, True),
        ("frontend", 3, 100, 120, False),
        ("frontend", 3, 0, 100, False),
        ("matching", 2, 100, 150, True),
        ("matching", 2, 100, 149, False),
        ("ui", 2, 0, 100, True),
    ],
)
def test_a_deployment_can_go_on_and_takes_few(
    role: str, tasks: int, least: int, most: int, *, well: bool
) -> None:
    draft = good()
    draft.outputs["services"][role]["replicas"] = tasks
    draft.put(f"{SERVICE}.{role}", "deployment_minimum_healthy_percent", least)
    draft.put(f"{SERVICE}.{role}", "deployment_maximum_percent", most)
    found = draft.judged(FAMILY).of("services-rollout").findings
    assert [one.resource for one in found] == ([] if well else [f"{SERVICE}.{role}"])


def test_a_task_that_is_run_once_knows_no_name_of_service_connect() -> None:
    draft = good()
    draft.containers["setup"][0]["environment"].append(
        {"name": "TEMPORAL_ADDRESS", "value": "temporal-frontend:7233"}
    )
    (found,) = only(draft.judged(FAMILY), "services-clients")
    assert found.resource == f"{TASK}.setup"


def test_a_dns_name_needs_a_service_that_registers() -> None:
    draft = good().put("ui/0", "environment.0.value", "temporal-frontend.shop.internal:7233")
    draft.add("aws_service_discovery_private_dns_namespace.main", id="ns-1", name="shop.internal")
    (found,) = only(draft.judged(FAMILY), "services-clients")
    assert "no such service" in found.evidence
    own = draft.add(
        "aws_service_discovery_service.frontend",
        name="temporal-frontend",
        arn=arn("servicediscovery", "service/srv-1"),
        dns_config=[{"namespace_id": "ns-1"}],
    )
    assert only(draft.judged(FAMILY), "services-clients")
    draft.put(FRONTEND, "service_registries", [{"registry_arn": own["arn"]}])
    assert not draft.judged(FAMILY).findings
    draft.put(FRONTEND, CONNECT, [])
    assert not draft.judged(FAMILY).findings
    draft.put(FRONTEND, "service_registries", [])
    found_rules = {rule.id for rule, _ in draft.judged(FAMILY).findings}
    assert found_rules == {"services-frontend", "services-clients"}


def test_what_is_not_known_is_not_judged() -> None:
    for place, path, rule in (
        (f"{SERVICE}.ui", "cluster", "services-cluster"),
        (f"{TASK}.ui", "network_mode", "services-network-mode"),
        (f"{SERVICE}.ui", "deployment_maximum_percent", "services-rollout"),
        (f"{SERVICE}.ui", "deployment_circuit_breaker.0.enable", "services-rollback"),
        (PROVIDER, f"{SCALED}.auto_scaling_group_arn", "services-scaling"),
        (PROVIDER, f"{SCALED}.managed_draining", "services-scaling"),
        (TIE, "capacity_providers", "services-attached"),
        (f"{SERVICE}.ui", f"{CONNECT}.0.namespace", "services-namespace"),
        (FRONTEND, CONNECT, "services-frontend"),
        (f"{SERVICE}.history", CONNECT, "services-others"),
        (f"{TASK}.ui", "container_definitions", "services-clients"),
    ):
        found = verdicts(good().put(place, path, UNKNOWN).judged(FAMILY))
        assert found[rule] is Verdict.SKIP, rule
    draft = good().put("outputs", "services.history.replicas", ABSENT)
    assert verdicts(draft.judged(FAMILY))["services-count"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}
