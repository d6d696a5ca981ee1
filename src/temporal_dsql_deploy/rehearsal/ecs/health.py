"""The health of a container by its own health check, counted as ECS's agent counts."""

from dataclasses import dataclass

from temporal_dsql_deploy.rehearsal.ecs.definition import Check

UNKNOWN, HEALTHY, UNHEALTHY = "UNKNOWN", "HEALTHY", "UNHEALTHY"


@dataclass(slots=True)
class Health:
    """What the checks of one container have come to."""

    check: Check
    started: float
    status: str = UNKNOWN
    failures: int = 0
    """One after the other, those of the start period not among them."""

    def told(self, *, well: bool, now: float) -> str:
        """The status after one more check."""
        if well:
            self.status, self.failures = HEALTHY, 0
            return self.status
        # Failures of the start period count only once a check has been passed.
        if self.status != UNKNOWN or now >= self.started + self.check.start_period:
            self.failures += 1
        if self.failures >= self.check.retries:
            self.status = UNHEALTHY
        return self.status


def together(statuses: list[str]) -> str:
    """The health of a task by that of its essential containers that have checks."""
    for status in (UNHEALTHY, UNKNOWN):
        if status in statuses:
            return status
    return HEALTHY if statuses else UNKNOWN
