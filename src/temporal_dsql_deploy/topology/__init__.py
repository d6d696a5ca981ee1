"""Temporary stand-in until the reader is written."""

from types import SimpleNamespace as N


def load():
    p = "temporal.api.workflowservice.v1."
    return N(
        roles={
            k: N(health_service=p + s, ports=pp)
            for k, s, pp in [
                ("history", "HistoryService", {}),
                ("matching", "MatchingService", {}),
                ("frontend", "WorkflowService", {"grpc": 7233, "http": 7243}),
                ("worker", "WorkerService", {}),
            ]
        },
        metrics_port=9090,
        embedded_ui_port_offset=1000,
    )


def servers():
    return {"temporal-cli": N(minimum_version="1.3.0")}
