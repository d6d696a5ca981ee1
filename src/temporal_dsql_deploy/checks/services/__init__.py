"""Properties 11 and 12: one task definition and one service for each role, reached by name."""

from temporal_dsql_deploy.checks.services import capacity, connect, parts
from temporal_dsql_deploy.checks.services.family import FAMILY

__all__ = ["FAMILY", "capacity", "connect", "parts"]
