"""Auto Scaling: settings of a group that moto drops, and zones, of which it takes the first."""

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap

_KEPT = {
    "MaxInstanceLifetime": "max_instance_lifetime",
    "DefaultInstanceWarmup": "default_instance_warmup",
}


def _keep(response: AutoScalingResponse) -> None:
    name = response._get_param("AutoScalingGroupName")
    group = response.autoscaling_backend.autoscaling_groups.get(name)
    for parameter, attribute in _KEPT.items():
        if (value := response._get_int_param(parameter)) is not None:
            setattr(group, attribute, value)


@wrap(AutoScalingResponse)
def create_auto_scaling_group(original: Method, self: AutoScalingResponse) -> object:
    """Keep what is asked for, so that the next plan finds it."""
    answer = original(self)
    _keep(self)
    return answer


@wrap(AutoScalingResponse)
def update_auto_scaling_group(original: Method, self: AutoScalingResponse) -> object:
    """The same for a change."""
    answer = original(self)
    _keep(self)
    return answer


@wrap(FakeAutoScalingGroup)
def replace_autoscaling_group_instances(
    original: Method, self: FakeAutoScalingGroup, count_needed: int, propagated_tags: dict[str, str]
) -> None:
    """Each new instance goes into the subnet that has fewest, as Auto Scaling keeps zones even."""
    subnets = str(self.vpc_zone_identifier or "").split(",")
    try:
        for _ in range(count_needed):
            there = [state.instance.subnet_id for state in self.instance_states]
            self.vpc_zone_identifier = min(subnets, key=there.count)
            original(self, 1, dict(propagated_tags))
    finally:
        self.vpc_zone_identifier = ",".join(subnets)
