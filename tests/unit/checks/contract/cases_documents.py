"""Mistakes in configuration files and in dynamic configuration that a plan carries."""

from tests.unit.checks.contract.case import Case
from tests.unit.checks.contract.good import Good

CONFIG = """# enable-template
log: {stdout: true, level: info}
persistence:
  numHistoryShards: {{ env "TEMPORAL_HISTORY_SHARDS" }}
  defaultStore: default
  visibilityStore: visibility
  datastores:
    default:
      sql:
        pluginName: dsql
        databaseName: postgres
        connectAddr: "{{ env "CLUSTER_ENDPOINT" }}:5432"
        maxConns: 20
        maxConnLifetime: 50m
        tls: {enabled: true, enableHostVerification: true}
    visibility:
      elasticsearch:
        version: v7
global:
  membership: {maxJoinDuration: 10s, broadcastAddress: "{{ env "IP" }}"}
services:
  frontend: {rpc: {grpcPort: 7233, membershipPort: 6933, bindOnIP: "0.0.0.0", httpPort: 7243}}
  history: {rpc: {grpcPort: 7234, membershipPort: 6934, bindOnIP: "0.0.0.0"}}
  matching: {rpc: {grpcPort: 7235, membershipPort: 6935, bindOnIP: "0.0.0.0"}}
  worker: {rpc: {grpcPort: 7239, membershipPort: 6939, bindOnIP: "0.0.0.0"}}
"""
DYNAMIC = """# sizes
limit.blobSize.error:
  - value: 921600
    constraints: {}
history.shutdownDrainDuration:
  - value: 5s
frontend.shutdownDrainDuration:
  - value: "5s"
frontend.shutdownFailHealthCheckDuration:
  - value: 5s
"""
_FILE, _DYNAMIC = "aws_ssm_parameter.config", "aws_ssm_parameter.dynamic"


def add(draft: Good, config: str = CONFIG, dynamic: str = DYNAMIC) -> None:
    """Both, as SSM parameters."""
    draft.add(_FILE, arn="arn:config", name="/shop/config", value=config)
    draft.add(_DYNAMIC, arn="arn:dynamic", name="/shop/dynamic", value=dynamic)


def config(rule: str, old: str, new: str) -> Case:
    assert old in CONFIG
    return Case(rule, lambda draft: add(draft, CONFIG.replace(old, new)), _FILE, "value")


def dynamic(rule: str, old: str, new: str) -> Case:
    assert old in DYNAMIC
    return Case(
        rule, lambda draft: add(draft, dynamic=DYNAMIC.replace(old, new)), _DYNAMIC, "value"
    )


CASES: tuple[Case, ...] = (
    config("config-template", "# enable-template", "#"),
    config("config-template", "# enable-template", "#" * 1025 + "\n# enable-template"),
    config("config-store", "databaseName: postgres", "databaseName: temporal"),
    config("config-store", "enabled: true, ", ""),
    config("config-store", "enableHostVerification: true", "enableHostVerification: false"),
    config("config-store", "        maxConns: 20\n", ""),
    config("config-store", '"{{ env "CLUSTER_ENDPOINT" }}:5432"', '"10.0.0.7:5432"'),
    config("config-store", "maxConnLifetime: 50m", "maxConnLifetime: 1h"),
    config("config-shards", '  numHistoryShards: {{ env "TEMPORAL_HISTORY_SHARDS" }}\n', ""),
    config("config-shards", '{{ env "TEMPORAL_HISTORY_SHARDS" }}', "0"),
    config("config-visibility", "  visibilityStore: visibility\n", ""),
    config("config-membership", ', broadcastAddress: "{{ env "IP" }}"', ""),
    config("config-membership", '"{{ env "IP" }}"', "localhost"),
    config(
        "config-membership",
        'membershipPort: 6939, bindOnIP: "0.0.0.0"',
        "membershipPort: 6939, bindOnLocalHost: true",
    ),
    config("config-services", "  worker: {rpc", "  workers: {rpc"),
    config("config-services", "grpcPort: 7239", "grpcPort: 7235"),
    config("config-keys", "log: {stdout", "logs: {stdout"),
    dynamic("dynamic-keys", "limit.blobSize.error", "limit.blobSizes.error"),
    dynamic("dynamic-keys", "limit.blobSize.error", "persistence.enableDSQLMode"),
    dynamic("dynamic-limits", "921600", "2097152"),
    dynamic("dynamic-drain", "- value: 5s", "- value: 30s"),
    dynamic("dynamic-drain", "- value: 5s", "- value: 5"),
)
