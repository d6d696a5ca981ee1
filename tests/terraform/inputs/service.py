"""Temporal's four roles, and the collectors beside them."""

from tests.terraform.inputs.compute import COUNTS
from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    WRONG_PROJECT_NAMES,
    Table,
    each_field,
    image,
    images_at_length,
    refuses,
    refuses_each,
    retention,
    size,
    sizes_at_length,
    takes,
    takes_each,
    whole,
)

SHARDS = [
    *takes_each("history_shards", [4, 8, 512, 4096, 16384]),
    *refuses_each(
        "history_shards is a power of two from 4 to 16384",
        "history_shards",
        [-4, 0, 1, 2, 3, 5, 6, 100, 500, 513, 1000, 4095, 16383, 32768, 512.5],
    ),
]


def _deployment(replicas: float, minimum: float, maximum: float) -> dict[str, float]:
    return {
        "replicas": replicas,
        "minimum_healthy_percent": minimum,
        "maximum_percent": maximum,
    }


_RESERVOIR = [
    *takes(),
    *takes(target_ready=1, low_watermark=1),
    *takes(target_ready=50, low_watermark=50),
    *refuses_each(
        "the fields of reservoir are whole numbers, 0 or more",
        "lifetime_jitter_seconds",
        [-1, 0.5],
    ),
    *refuses("the fields of reservoir are whole numbers, 0 or more", target_ready=7.5),
    *refuses("the fields of reservoir are whole numbers, 0 or more", guard_window_seconds=-1),
    *refuses("reservoir.target_ready and low_watermark are 1 at least", target_ready=0),
    *refuses("reservoir.target_ready and low_watermark are 1 at least", low_watermark=0),
    *refuses("reservoir.target_ready and low_watermark are 1 at least", low_watermark=11),
    *takes(base_lifetime_seconds=165),
    *takes(base_lifetime_seconds=120, guard_window_seconds=0),
    *refuses(
        "reservoir.base_lifetime_seconds exceeds guard_window_seconds", base_lifetime_seconds=164
    ),
    *refuses(
        "reservoir.base_lifetime_seconds exceeds guard_window_seconds", guard_window_seconds=541
    ),
    *takes(base_lifetime_seconds=2880),
    *takes(base_lifetime_seconds=3000, lifetime_jitter_seconds=0),
    *refuses(
        "reservoir.base_lifetime_seconds and lifetime_jitter_seconds are 3000",
        base_lifetime_seconds=2881,
    ),
    *refuses(
        "reservoir.base_lifetime_seconds and lifetime_jitter_seconds are 3000",
        base_lifetime_seconds=3300,
        lifetime_jitter_seconds=0,
    ),
    *takes_each("initial_fill_timeout_seconds", [1, 60]),
    *refuses_each(
        "reservoir.initial_fill_timeout_seconds is 1 to 60",
        "initial_fill_timeout_seconds",
        [0, 61, 300],
    ),
]
_NO_LEASE = "distributed_conn_lease_enabled needs reservoir_enabled and conn_lease_table"

TEMPORAL_SERVICE = Table(
    "modules/temporal-service",
    [
        *PROJECT_NAMES,
        *takes_each("service_name", ["history", "matching", "worker"]),
        *takes(
            service_name="frontend",
            service_connect_namespace_arn=(
                "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-0123456789abcdef"
            ),
        ),
        *refuses_each(
            "service_name is history, matching, frontend or worker",
            "service_name",
            ["", "History", "temporal-history", "ui", "internal-frontend"],
        ),
        *WRONG_PROJECT_NAMES,
        *image(),
        *images_at_length(),
        *size(),
        *sizes_at_length(),
        *COUNTS,
        *(
            case
            for values in [(1, 100, 200), (1, 0, 100), (2, 50, 100), (2, 100, 150), (100, 99, 100)]
            for case in takes(**_deployment(*values))
        ),
        *takes(**_deployment(0, 100, 200)),
        *(
            case
            for values in [
                (1, 100, 100),
                (1, 50, 100),
                (1, 100, 199),
                (2, 51, 100),
                (2, 100, 149),
                (3, 67, 100),
                (10, 91, 100),
                (10, 100, 109),
                (0, 100, 100),
            ]
            for case in refuses(
                "a deployment could not replace a single task", **_deployment(*values)
            )
        ),
        *whole("minimum_healthy_percent", 0, None, "minimum_healthy_percent is a whole number"),
        *refuses("minimum_healthy_percent is a whole number", **_deployment(2, 101, 200)),
        *takes(**_deployment(2, 100, 200)),
        *refuses("maximum_percent is a whole number", **_deployment(2, 0, 99)),
        *refuses("maximum_percent is a whole number", **_deployment(2, 0, 150.5)),
        *takes_each("dsql_endpoint", ["abcdefghijklmnopqrstuvwxyz.dsql.us-east-1.on.aws"]),
        *refuses_each(
            "dsql_endpoint is a host name alone",
            "dsql_endpoint",
            [
                "",
                "localhost",
                "https://abc.dsql.eu-west-1.on.aws",
                "abc.dsql.eu-west-1.on.aws:5432",
                "abc.dsql.eu-west-1.on.aws/postgres",
                "10.0.0.1",
                "ABC.dsql.eu-west-1.on.aws",
            ],
        ),
        *whole("max_conns", 1, None, "max_conns is a whole number, 1 at least"),
        *whole("connection_rate_limit", 1, None, "connection_rate_limit is a whole number"),
        *whole("connection_burst_limit", 1, None, "connection_burst_limit is a whole number"),
        *takes(max_conns=100, connection_rate_limit=1, connection_burst_limit=105),
        *takes(max_conns=500, connection_rate_limit=1, reservoir_enabled=True),
        *refuses(
            "ECS replaces a task that is not healthy after 390 s",
            max_conns=100,
            connection_rate_limit=1,
            connection_burst_limit=104,
        ),
        *whole("staggered_startup_seconds", 0, 60, "staggered_startup_seconds is a whole number"),
        *takes(rate_limiter_enabled=True, rate_limiter_table="temporal-dev-limiter"),
        *refuses(
            "rate_limiter_enabled needs rate_limiter_table",
            rate_limiter_enabled=True,
            rate_limiter_table=None,
        ),
        *whole("rate_limiter_limit", 1, None, "rate_limiter_limit is a whole number"),
        *each_field(_RESERVOIR, "reservoir"),
        *takes(
            reservoir_enabled=True, distributed_conn_lease_enabled=True, conn_lease_table="leases"
        ),
        *refuses(
            _NO_LEASE,
            reservoir_enabled=False,
            distributed_conn_lease_enabled=True,
            conn_lease_table="leases",
        ),
        *refuses(
            _NO_LEASE,
            reservoir_enabled=True,
            distributed_conn_lease_enabled=True,
            conn_lease_table=None,
        ),
        *whole("distributed_conn_limit", 1, None, "distributed_conn_limit is a whole number"),
        *takes_each("visibility_index_name", ["temporal_visibility_v1"]),
        *refuses_each(
            "visibility_index_name begins with temporal_visibility_v1",
            "visibility_index_name",
            ["", "temporal_visibility", "visibility", "Temporal_visibility_v1"],
        ),
        *SHARDS,
        *takes_each("log_level", ["debug", "info", "warn", "error"]),
        *refuses_each(
            "log_level is debug, info, warn or error",
            "log_level",
            ["", "INFO", "trace", "warning"],
        ),
        *whole(
            "temporal_dynamicconfig_tmpfs_size",
            1,
            10,
            "temporal_dynamicconfig_tmpfs_size is a whole number of MiB",
        ),
        *retention(),
    ],
)

_WORKSPACE = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-0123456789abcdef0"
_LONG = "/" + "d" * 8000
_COLLECTORS = [
    *PROJECT_NAMES,
    *image(),
    *takes_each("service_name", ["t", "benchmark-worker", "temporal-frontend"]),
    *refuses_each(
        "service_name is lower-case letters",
        "service_name",
        ["", "Temporal-history", "-history", "1st", "temporal_history", "temporal/history"],
    ),
    *takes_each("prometheus_endpoint", ["http://localhost:9009/api/v1/remote_write"]),
    *refuses_each(
        "prometheus_endpoint is the remote write URL of a workspace",
        "prometheus_endpoint",
        [
            "",
            _WORKSPACE,
            f"{_WORKSPACE}/",
            f"{_WORKSPACE}/api/v1/query",
            f"{_WORKSPACE}/api/v1/remote_write/",
            "aps-workspaces.eu-west-1.amazonaws.com/api/v1/remote_write",
            "https://${env:HOST}/api/v1/remote_write",
        ],
    ),
    *takes_each("loki_endpoint", [None, "http://loki:3100/", "https://loki.example.com"]),
    *refuses_each(
        "loki_endpoint is a URL without a path",
        "loki_endpoint",
        [
            "",
            "loki:3100",
            "loki.temporal-dev.internal",
            "http://loki:3100/loki/api/v1/push",
            "http://${env:HOST}:3100",
        ],
    ),
    *takes(metrics_port=None),
    *refuses("with neither loki_endpoint nor metrics_port", loki_endpoint=None, metrics_port=None),
    *whole("memory", 128, None, "memory is a whole number of MiB, 128 at least"),
    *takes_each("log_directory", ["/logs", "/var/log/temporal-1.x_y"]),
    *refuses_each(
        "log_directory is an absolute path",
        "log_directory",
        ["", "/", "logs", "/var/log/", "/var//log", "/var/log/$HOME", "/var/my log"],
    ),
]

OTEL_SIDECAR = Table(
    "modules/otel-sidecar",
    [
        *_COLLECTORS,
        *refuses_each(
            "characters, and an SSM parameter takes 8192: shorten what was added",
            "log_directory",
            [_LONG],
        ),
    ],
)
ALLOY_SIDECAR = Table("modules/alloy-sidecar", OTEL_SIDECAR.cases)

TABLES = [TEMPORAL_SERVICE, OTEL_SIDECAR, ALLOY_SIDECAR]
