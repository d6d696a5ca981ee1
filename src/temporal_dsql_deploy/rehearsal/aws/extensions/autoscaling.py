"""Auto Scaling: the settings of a group that moto drops."""

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
