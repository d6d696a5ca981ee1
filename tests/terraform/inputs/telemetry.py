"""Metrics and logs."""

from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    Case,
    Table,
    image,
    refuses,
    refuses_each,
    retention,
    size,
    takes,
    whole,
)

_WORKSPACE = {
    "arn": "arn:aws:aps:eu-west-1:123456789012:workspace/ws-0123",
    "id": "ws-0123",
    "prometheus_endpoint": "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-0123/",
}

OBSERVABILITY = Table(
    "modules/observability",
    [
        *PROJECT_NAMES,
        *takes(existing_prometheus_workspace=_WORKSPACE),
        *refuses_each(
            "existing_prometheus_workspace.prometheus_endpoint is the workspace's URL",
            "existing_prometheus_workspace",
            [
                {**_WORKSPACE, "prometheus_endpoint": url}
                for url in (
                    "",
                    "aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-0123/",
                    "https://aps-workspaces.eu-west-1.amazonaws.com/",
                    f"{_WORKSPACE['prometheus_endpoint']}api/v1/remote_write",
                )
            ],
        ),
        # 22 characters, "-loki-", 12 digits, and a region: no region of today is that long.
        *takes(project_name="t" * 22, region="r" * 22),
        *refuses(
            "has more than the 63 characters that S3 takes", project_name="t" * 22, region="r" * 23
        ),
        *image("grafana_image"),
        *image("loki_image"),
        *(
            Case({"adot": {"image": case.changed["adot"]}}, case.because)
            for case in image("adot", "adot.image")
        ),
        *size("grafana_cpu", "grafana_memory", 4096),
        *size("loki_cpu", "loki_memory", 4096),
        *takes(grafana_enabled=False, grafana_admin_secret_name=None),
        *refuses("grafana_enabled needs grafana_admin_secret_name", grafana_admin_secret_name=None),
        *whole("loki_retention_days", 1, None, "loki_retention_days is a whole number of days"),
        *retention(),
    ],
)

TABLES = [OBSERVABILITY]
