"""Elastic Load Balancing: whether a Network Load Balancer's groups apply to PrivateLink."""

from moto.elbv2.responses import ELBV2Response

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap


@wrap(ELBV2Response)
def set_security_groups(original: Method, self: ELBV2Response) -> object:
    """moto drops the setting, which the next plan would set again."""
    answer = original(self)
    balancer = self.elbv2_backend.load_balancers[self._get_param("LoadBalancerArn")]
    name = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    if (value := self._get_param(name)) is not None:
        vars(balancer)[name] = value
    return answer
