"""The configuration of a good plan's collectors."""

from temporal_dsql_deploy import topology


def collector(region: str, workspace: str) -> str:
    """It reads a role's metrics page, and writes to the workspace."""
    return f"""
extensions:
  sigv4auth:
    region: {region}
    service: aps
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: temporal
          scrape_interval: 15s
          static_configs:
            - targets: ["localhost:{topology.load().metrics_port}"]
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 192
exporters:
  prometheusremotewrite:
    endpoint: {workspace}api/v1/remote_write
    auth:
      authenticator: sigv4auth
service:
  extensions: [sigv4auth]
  pipelines:
    metrics:
      receivers: [prometheus]
      processors: [memory_limiter]
      exporters: [prometheusremotewrite]
"""
