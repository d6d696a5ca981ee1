"""How many connections a DSQL cluster has open, as CloudWatch says it, minute by minute.

Namespace AWS/Usage, metric ResourceCount, with Service AuroraDSQL, Resource ClusterConnectionCount
and ResourceId cluster/ID (Aurora DSQL user guide, Monitoring with CloudWatch). Whether a further
dimension, Class, is there the guide does not say, so the metric is looked for by these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from temporal_dsql_deploy import aws

NAMESPACE = "AWS/Usage"
METRIC = "ResourceCount"
RESOURCE = "ClusterConnectionCount"
PERIOD = 60
"""Seconds."""


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """The metric of one cluster; each call raises what `aws.told` makes of a refusal."""

    cluster: str
    """Its id."""
    cloudwatch: Any
    """A client of CloudWatch in the cluster's region."""

    @classmethod
    def of(cls, arn: str, region: str) -> Self:
        """With the credentials that AWS's SDK finds; `arn` is the cluster's."""
        return cls(arn.rpartition("/")[2], aws.client("cloudwatch", region))

    def read(self, since: datetime, until: datetime) -> Mapping[datetime, int]:
        """The most connections in each minute that CloudWatch knows of, by the minute's start."""
        found: dict[datetime, int] = {}
        for dimensions in self._dimensions():
            with aws.calling("read the count of connections (cloudwatch:GetMetricStatistics)"):
                said = self.cloudwatch.get_metric_statistics(
                    Namespace=NAMESPACE,
                    MetricName=METRIC,
                    Dimensions=dimensions,
                    StartTime=since.replace(second=0, microsecond=0),
                    EndTime=until,
                    Period=PERIOD,
                    Statistics=["Maximum"],
                )
            for point in said["Datapoints"]:
                at = point["Timestamp"].astimezone(UTC)
                found[at] = max(found.get(at, 0), round(point["Maximum"]))
        return found

    def _dimensions(self) -> list[list[dict[str, str]]]:
        """Those of every metric that counts this cluster's connections."""
        with aws.calling("look for the count of connections (cloudwatch:ListMetrics)"):
            pages = self.cloudwatch.get_paginator("list_metrics").paginate(
                Namespace=NAMESPACE,
                MetricName=METRIC,
                Dimensions=[{"Name": "Resource", "Value": RESOURCE}],
            )
            listed = [one["Dimensions"] for page in pages for one in page["Metrics"]]
        return [one for one in listed if self.cluster in _resource_id(one).split("/")]


def _resource_id(dimensions: list[dict[str, str]]) -> str:
    return next((one["Value"] for one in dimensions if one["Name"] == "ResourceId"), "")
