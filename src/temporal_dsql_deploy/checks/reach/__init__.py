"""Reach: who needs to reach whom, held against security groups, routes and VPC endpoints."""

from temporal_dsql_deploy.checks.reach import (
    apis,
    balancer,
    database,
    pairs,
    places,
    policies,
    walls,
)
from temporal_dsql_deploy.checks.reach.own import FAMILY

__all__ = ["FAMILY", "apis", "balancer", "database", "pairs", "places", "policies", "walls"]
