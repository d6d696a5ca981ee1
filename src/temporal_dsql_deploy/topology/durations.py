"""Durations as Go writes them, which is how Temporal and its DSQL plugin read theirs."""

from temporal_dsql_deploy.runtime.values import parse_duration

__all__ = ["parse_duration"]
