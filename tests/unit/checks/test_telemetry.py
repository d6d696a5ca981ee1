"""Rules about collectors, on a plan made by hand."""

from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.telemetry import FAMILY, yaml_text
from temporal_dsql_deploy.plan import UNKNOWN, Sensitive
from tests.support.check_plans import (
    COLLECTOR,
    ECS_CLUSTER,
    REGION,
    ROLES,
    WORKSPACE,
    arn,
    good,
)
from tests.support.draft import ABSENT, SERVICE, TASK, Draft, only, verdicts

ALLOY = f"""
prometheus.scrape "temporal" {{
  targets    = [{{
    "__address__" = "localhost:9090", // beside it
    "instance"    = constants.hostname,
  }}]
  forward_to = [prometheus.remote_write.amp.receiver]
}}

prometheus.remote_write "amp" {{
  endpoint {{
    url = "{WORKSPACE}api/v1/remote_write"

    sigv4 {{
      region = "{REGION}"
    }}
  }}
}}
"""
OBSERVER = (
    COLLECTOR.replace(
        "extensions:\n",
        f"""extensions:
  ecs_observer:
    cluster_name: {ECS_CLUSTER}
    cluster_region: {REGION}
    result_file: /targets.yaml
    services:
      - name_pattern: ^shop-temporal-(frontend|history|matching|worker)$$
        container_name_pattern: ^temporal-.*$$
        metrics_ports: [9090]
""",
        1,
    )
    .replace("extensions: [sigv4auth]", "extensions: [sigv4auth, ecs_observer]")
    .replace(
        'static_configs:\n            - targets: ["localhost:9090"]',
        "file_sd_configs:\n            - files: [/targets.yaml]",
    )
)


def parameter(role: str) -> str:
    return f"aws_ssm_parameter.collector_{role}"


def told(text: str, *roles: str) -> Draft:
    """The good plan with another configuration for collectors of some roles, or all."""
    draft = good()
    for role in roles or ROLES:
        draft[parameter(role)]["value"] = text
    return draft


def central(text: str = OBSERVER) -> Draft:
    """One collector that finds tasks, in place of those beside them."""
    draft = good()
    for role in ROLES:
        del draft.containers[role][1]
        del draft.values[parameter(role)]
    source = draft.add(
        "aws_ssm_parameter.adot",
        name="/shop/adot",
        arn=arn("ssm", "parameter/shop/adot"),
        value=text,
    )
    draft.values[f"{TASK}.adot"] = {
        **draft.task("ui"),
        "family": "shop-adot",
        "arn": arn("ecs", "task-definition/shop-adot:1"),
    }
    draft.values[f"{SERVICE}.adot"] = {
        **draft.service("ui"),
        "name": "shop-adot",
        "task_definition": draft.task("adot")["arn"],
        "deployment_maximum_percent": 100,
    }
    secret = {"name": "AOT_CONFIG_CONTENT", "valueFrom": source["arn"]}
    draft.containers["adot"] = [{"name": "adot", "image": "adot:0.43", "secrets": [secret]}]
    return draft


WRONG: list[tuple[str, str, str]] = [
    ("telemetry-once", "localhost:9090", "localhost:9091"),
    ("telemetry-names", '["localhost:9090"]', '["localhost:9090", "temporal-history:9090"]'),
    ("telemetry-write", f"region: {REGION}", "region: us-east-1"),
    ("telemetry-write", "service: aps", "service: es"),
    ("telemetry-write", "workspaces/ws-shop", "workspaces/ws-other"),
    ("telemetry-write", "api/v1/remote_write", "api/v1/query"),
    ("telemetry-write", "      authenticator: sigv4auth\n", "      authenticator: other\n"),
    ("telemetry-write", "    auth:\n      authenticator: sigv4auth\n", ""),
    ("telemetry-write", "  extensions: [sigv4auth]\n", ""),
    ("telemetry-memory", "limit_mib: 192", "limit_mib: 256"),
    ("telemetry-memory", "processors: [memory_limiter]", "processors: []"),
    ("telemetry-wired", "processors: [memory_limiter]", "processors: [memory_limiter, batch]"),
    ("telemetry-wired", "extensions: [sigv4auth]", "extensions: [sigv4auth, health_check]"),
]


def test_every_role_of_a_good_plan_is_scraped_once() -> None:
    found = verdicts(good().judged(FAMILY))
    assert found.pop("telemetry-logs") is Verdict.SKIP
    assert set(found.values()) == {Verdict.OK}


@pytest.mark.parametrize(("rule", "old", "new"), WRONG)
@pytest.mark.parametrize("role", ["history", "worker"])
def test_a_line_of_a_configuration_that_is_wrong_is_found(
    role: str, rule: str, old: str, new: str
) -> None:
    assert old in COLLECTOR
    found = only(told(COLLECTOR.replace(old, new, 1), role).judged(FAMILY), rule)
    assert {(one.resource, one.attribute) for one in found} == {(parameter(role), "value")}


@given(st.sampled_from(WRONG), st.sampled_from(ROLES), st.integers(5, 60), st.booleans())
def test_property_15(wrong: tuple[str, str, str], role: str, seconds: int, note: object) -> None:
    """Feature: temporal-ecs-fargate, Property 15: all four roles on 9090 and SigV4, as followed.

    Each task by the collector beside it: a name would answer for one random task.
    """
    base = COLLECTOR.replace("scrape_interval: 15s", f"scrape_interval: {seconds}s")
    base = f"# A note: with [brackets]\n{base}" if note else base
    assert not told(base).judged(FAMILY).findings
    rule, old, new = wrong
    draft = told(base)
    draft[parameter(role)]["value"] = base.replace(old, new, 1)
    (found, *_) = only(draft.judged(FAMILY), rule)
    assert found.resource == parameter(role)


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("telemetry-once", "localhost:9090", "localhost:9091"),
        ("telemetry-names", "localhost:9090", "temporal-history:9090"),
        ("telemetry-write", "ws-shop", "ws-other"),
        ("telemetry-write", f'region = "{REGION}"', 'region = "us-east-1"'),
        ("telemetry-write", "    sigv4 {", "    basic_auth {"),
        ("telemetry-wired", "remote_write.amp.receiver", "remote_write.other.receiver"),
    ],
)
def test_alloy_is_read_too(rule: str, old: str, new: str) -> None:
    draft = told(ALLOY)
    for role in ROLES:
        draft.containers[role][1]["environment"] = [{"name": "GOMEMLIMIT", "value": "200000000"}]
    assert not draft.judged(FAMILY).findings
    assert old in ALLOY
    draft[parameter("history")]["value"] = ALLOY.replace(old, new, 1)
    found = draft.judged(FAMILY).of(rule).findings
    assert {one.resource for one in found} == {parameter("history")}


def test_memory_of_alloy_has_a_limit_below_the_one_of_its_container() -> None:
    draft = told(ALLOY, "history")
    assert only(draft.judged(FAMILY), "telemetry-memory")
    for size, well in (("268435456", False), ("268435455", True)):
        draft.containers["history"][1]["environment"] = [{"name": "GOMEMLIMIT", "value": size}]
        assert not draft.judged(FAMILY).findings or not well


def test_one_collector_that_asks_ecs_finds_every_task() -> None:
    assert not central().judged(FAMILY).findings


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("telemetry-once", "(frontend|history|matching|worker)", "(frontend|history|matching)"),
        ("telemetry-once", "metrics_ports: [9090]", "metrics_ports: [9091]"),
        ("telemetry-once", "container_name_pattern: ^temporal-", "container_name_pattern: ^x-"),
        ("telemetry-once", "- files: [/targets.yaml]", "- files: [/other.yaml]"),
        ("telemetry-once", ", ecs_observer]", "]"),
        ("telemetry-wired", f"cluster_name: {ECS_CLUSTER}", "cluster_name: other"),
        ("telemetry-wired", f"cluster_region: {REGION}", "cluster_region: us-east-1"),
    ],
)
def test_what_one_collector_does_not_find_is_found(rule: str, old: str, new: str) -> None:
    assert old in OBSERVER
    assert only(central(OBSERVER.replace(old, new, 1)).judged(FAMILY), rule)


def test_two_collectors_scrape_twice() -> None:
    draft = central()
    draft.service("adot")["deployment_maximum_percent"] = 200
    (found,) = only(draft.judged(FAMILY), "telemetry-once")
    assert found.resource == f"{SERVICE}.adot"
    draft = central()
    beside = good()
    draft.values[parameter("history")] = beside[parameter("history")]
    draft.containers["history"] = beside.containers["history"]
    (found,) = only(draft.judged(FAMILY), "telemetry-once")
    assert found.evidence.endswith("history is scraped 2 times")


def test_a_role_without_a_collector_is_found() -> None:
    draft = good()
    del draft.containers["worker"][1]
    (found,) = only(draft.judged(FAMILY), "telemetry-once")
    assert found.resource == f"{SERVICE}.worker"


def test_several_tasks_of_a_role_need_different_labels() -> None:
    draft = good()
    draft.outputs["services"]["history"]["replicas"] = 3
    (found,) = only(draft.judged(FAMILY), "telemetry-apart")
    assert found.resource == parameter("history")
    text = COLLECTOR.replace("processors: [memory", "processors: [resource/task, memory").replace(
        "processors:\n", "processors:\n  resource/task:\n", 1
    )
    draft[parameter("history")]["value"] = text
    assert not draft.judged(FAMILY).findings


def _memory(draft: Draft) -> None:
    del draft.containers["history"][1]["memory"]


def _essential(draft: Draft) -> None:
    draft.put("history/1", "essential", ABSENT)


def _server(draft: Draft) -> None:
    draft.put("history/0", "essential", value=False)


@pytest.mark.parametrize(
    ("rule", "change", "attribute"),
    [
        ("telemetry-memory", _memory, "container_definitions.1.memory"),
        ("telemetry-beside", _essential, "container_definitions.1.essential"),
        ("telemetry-beside", _server, "container_definitions.0.essential"),
    ],
)
def test_a_collector_harms_no_server(
    rule: str, change: Callable[[Draft], None], attribute: str
) -> None:
    draft = good()
    change(draft)
    (found,) = only(draft.judged(FAMILY), rule)
    assert (found.resource, found.attribute) == (f"{TASK}.history", attribute)


LOGS = COLLECTOR.replace(
    "receivers:\n", 'receivers:\n  file_log:\n    include: ["/var/log/temporal/server.log"]\n', 1
).replace(
    "exporters:\n", "exporters:\n  otlp_http:\n    endpoint: http://loki.x:3100/otlp\n", 1
) + (
    "    logs:\n      receivers: [file_log]\n      processors: [memory_limiter]\n"
    "      exporters: [otlp_http]\n"
)


def with_loki() -> Draft:
    draft = told(LOGS)
    draft.add("aws_service_discovery_private_dns_namespace.main", id="ns-1", name="x")
    own = draft.add(
        "aws_service_discovery_service.loki",
        name="loki",
        arn="arn:loki",
        dns_config=[{"namespace_id": "ns-1"}],
    )
    draft.values[f"{TASK}.loki"] = {
        **draft.task("ui"),
        "family": "shop-loki",
        "arn": arn("ecs", "task-definition/shop-loki:1"),
    }
    draft.containers["loki"] = [
        {"name": "loki", "image": "loki:3", "portMappings": [{"containerPort": 3100}]}
    ]
    draft.values[f"{SERVICE}.loki"] = {
        **draft.service("ui"),
        "name": "shop-loki",
        "task_definition": draft.task("loki")["arn"],
        "service_registries": [{"registry_arn": own["arn"]}],
    }
    for role in ROLES:
        for container in draft.containers[role]:
            container["mountPoints"] = [
                {"sourceVolume": "logs", "containerPath": "/var/log/temporal"}
            ]
        draft.containers[role][0]["environment"].append(
            {"name": "TEMPORAL_LOG_FILE", "value": "/var/log/temporal/server.log"}
        )
    return draft


def test_log_files_go_to_loki() -> None:
    assert verdicts(with_loki().judged(FAMILY))["telemetry-logs"] is Verdict.OK
    for old, new in (
        ("loki.x:3100", "loki.y:3100"),
        ("loki.x:3100", "loki.x:3101"),
        ("server.log", "other.log"),
        ("      exporters: [otlp_http]\n", "      exporters: [prometheusremotewrite]\n"),
    ):
        draft = with_loki()
        draft[parameter("history")]["value"] = LOGS.replace(old, new)
        assert only(draft.judged(FAMILY), "telemetry-logs")[0].resource == parameter("history")
    draft = with_loki().put("history/1", "mountPoints", [])
    assert only(draft.judged(FAMILY), "telemetry-logs")[0].resource == f"{TASK}.history"
    draft = with_loki().put("history/0", "mountPoints.0.readOnly", value=True)
    assert only(draft.judged(FAMILY), "telemetry-logs")[0].attribute.endswith("readOnly")
    draft = with_loki()
    draft[parameter("history")]["value"] = COLLECTOR
    assert only(draft.judged(FAMILY), "telemetry-logs")


@pytest.mark.parametrize("value", [UNKNOWN, Sensitive.of("x"), "receivers: &anchor x\n"])
def test_what_cannot_be_read_is_not_judged(value: object) -> None:
    draft = good()
    draft[parameter("history")]["value"] = value
    found = verdicts(draft.judged(FAMILY))
    assert found["telemetry-write"] is found["telemetry-names"] is Verdict.SKIP
    hidden = good().put(f"{TASK}.history", "container_definitions", UNKNOWN)
    assert verdicts(hidden.judged(FAMILY))["telemetry-beside"] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_what_is_known_of_a_role_is_not_blamed_for_what_is_not() -> None:
    draft = good()
    draft[parameter("history")]["value"] = Sensitive.of("x")
    assert not draft.judged(FAMILY).findings


PLAIN = st.from_regex(r"[a-z][a-z0-9_/.]{0,10}", fullmatch=True).filter(
    lambda text: text not in {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)
TREES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(PLAIN, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(PLAIN, TREES, min_size=1, max_size=4), st.booleans())
def test_yaml_is_read_as_a_real_reader_reads_it(tree: object, flow: object) -> None:
    text = yaml.safe_dump(tree, default_flow_style=None if flow else False, width=10_000)
    assert yaml_text.read(text) == yaml.safe_load(text) == tree


@pytest.mark.parametrize(
    "text", ["a: &b c", "a: !x y", "a: *b", "a: [b", "just words", "a:\n - b\n   c: d"]
)
def test_yaml_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(yaml_text.NotRead):
        yaml_text.read(text)
