"""DSQL's connections: what the processes of a cluster open and hold, by the measured law."""

from temporal_dsql_deploy.capacity.connections.cluster import (
    Cluster,
    Connects,
    Limiter,
    Quotas,
    Scenario,
    Service,
    StartPlan,
    at_once_by_limits,
    connects,
    first_healthy,
    held,
    per_second_by_limits,
    recycled_per_second,
    start_plan,
)
from temporal_dsql_deploy.capacity.connections.pool import Mode, Pool
from temporal_dsql_deploy.capacity.connections.settings import Settings, read

__all__ = [
    "Cluster",
    "Connects",
    "Limiter",
    "Mode",
    "Pool",
    "Quotas",
    "Scenario",
    "Service",
    "Settings",
    "StartPlan",
    "at_once_by_limits",
    "connects",
    "first_healthy",
    "held",
    "per_second_by_limits",
    "read",
    "recycled_per_second",
    "start_plan",
]
