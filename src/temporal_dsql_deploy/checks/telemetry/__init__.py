"""Property 15: the metrics of every task are scraped once and written, signed, to the workspace."""

from temporal_dsql_deploy.checks.telemetry import rules
from temporal_dsql_deploy.checks.telemetry.family import FAMILY

__all__ = ["FAMILY", "rules"]
