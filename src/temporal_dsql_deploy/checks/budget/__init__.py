"""DSQL's connections: how many are held, how fast they are made, and what counts them."""

from temporal_dsql_deploy.checks.budget import connections, lease, limiter, pools
from temporal_dsql_deploy.checks.budget.family import FAMILY

__all__ = ["FAMILY", "connections", "lease", "limiter", "pools"]
