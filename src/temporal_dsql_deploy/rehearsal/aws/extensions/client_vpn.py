"""EC2: Client VPN endpoints, their authorization rules and subnets, which moto lacks.

However fast the answer, the Terraform provider waits four minutes before it asks whether a subnet
has been associated, and as long again when it is taken away.
"""

from typing import Any
from uuid import uuid4

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses import EC2Response
from moto.ec2.responses.tags import TagResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, add, wrap

_PREFIX = "cvpn-endpoint-"
_DESCRIBED = (
    "ClientCidrBlock",
    "ClientLoginBannerOptions",
    "Description",
    "DnsServers",
    "SecurityGroupIds",
    "ServerCertificateArn",
    "SessionTimeoutHours",
    "TransportProtocol",
    "VpcId",
    "VpnPort",
)
_DEFAULTS = {
    "ClientConnectOptions": {"Enabled": False, "Status": {"Code": "applied"}},
    "ClientLoginBannerOptions": {"Enabled": False},
    "ClientRouteEnforcementOptions": {"Enforced": False},
    "DisconnectOnSessionTimeout": False,
    "SelfServicePortal": "disabled",
    "SessionTimeoutHours": 24,
    "TransportProtocol": "udp",
    "VpnPort": 443,
}


class ClientVpnEndpoint(TaggedEC2Resource):
    """One endpoint: what was asked for, as it is described."""

    def __init__(self, backend: Any, asked: dict[str, Any]) -> None:
        self.ec2_backend = backend
        self.id = f"{_PREFIX}{uuid4().hex[:17]}"
        self.rules: dict[tuple[str, str], dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self._described: dict[str, Any] = {
            **_DEFAULTS,
            "AuthenticationOptions": [
                _authentication(each) for each in asked.get("Authentication", [])
            ],
            "CreationTime": utcnow(),
            "SplitTunnel": asked.get("SplitTunnel", False),
            "VpnProtocol": "openvpn",
        }
        self.change(asked)

    def change(self, asked: dict[str, Any]) -> None:
        """Take over what a request names."""
        self._described |= {name: asked[name] for name in _DESCRIBED if asked.get(name)}
        self._described |= {name: asked[name] for name in ("SplitTunnel",) if name in asked}
        if logs := asked.get("ConnectionLogOptions"):
            self._described["ConnectionLogOptions"] = logs

    def description(self) -> dict[str, Any]:
        """As DescribeClientVpnEndpoints words it."""
        return {
            **self._described,
            "ClientVpnEndpointId": self.id,
            "DnsName": f"*.{self.id}.prod.clientvpn.{self.ec2_backend.region_name}.amazonaws.com",
            "Status": {"Code": "available" if self.networks else "pending-associate"},
            "Tags": self.get_tags(),
        }


def _authentication(asked: dict[str, Any]) -> dict[str, Any]:
    described = {"Type": asked["Type"]}
    if "MutualAuthentication" in asked:
        arn = asked["MutualAuthentication"]["ClientRootCertificateChainArn"]
        described["MutualAuthentication"] = {"ClientRootCertificateChain": arn}
    if "ActiveDirectory" in asked:
        described["ActiveDirectory"] = asked["ActiveDirectory"]
    if "FederatedAuthentication" in asked:
        saml = asked["FederatedAuthentication"]
        described["FederatedAuthentication"] = {
            "SamlProviderArn": saml["SAMLProviderArn"],
            "SelfServiceSamlProviderArn": saml.get("SelfServiceSAMLProviderArn"),
        }
    return described


def _endpoints(response: EC2Response) -> dict[str, ClientVpnEndpoint]:
    backend = ec2_backends[response.current_account][response.region]
    kept: dict[str, ClientVpnEndpoint] = vars(backend).setdefault("client_vpn_endpoints", {})
    return kept


def _endpoint(response: EC2Response) -> ClientVpnEndpoint:
    name = response._get_param("ClientVpnEndpointId")
    if name not in _endpoints(response):
        raise EC2ClientError(
            "InvalidClientVpnEndpointId.NotFound", f"Endpoint {name} does not exist"
        )
    return _endpoints(response)[name]


@add(EC2Response)
def create_client_vpn_endpoint(self: EC2Response) -> ActionResult:
    """Make an endpoint."""
    asked = dict(self._get_params())
    asked["Authentication"] = self._get_param("AuthenticationOptions", [])
    endpoint = ClientVpnEndpoint(self.ec2_backend, asked)
    _endpoints(self)[endpoint.id] = endpoint
    endpoint.add_tags(self._parse_tag_specification().get("client-vpn-endpoint", {}))
    described = endpoint.description()
    return ActionResult(
        {name: described[name] for name in ("ClientVpnEndpointId", "DnsName", "Status")}
    )


@add(EC2Response)
def describe_client_vpn_endpoints(self: EC2Response) -> ActionResult:
    """All, or those with these ids."""
    ids = self._get_param("ClientVpnEndpointIds", [])
    found = [each for each in _endpoints(self).values() if not ids or each.id in ids]
    if len(found) < len(ids):
        raise EC2ClientError("InvalidClientVpnEndpointId.NotFound", f"{ids} do not exist")
    return ActionResult({"ClientVpnEndpoints": [each.description() for each in found]})


@add(EC2Response)
def modify_client_vpn_endpoint(self: EC2Response) -> ActionResult:
    """Change an endpoint."""
    asked = dict(self._get_params())
    if servers := asked.get("DnsServers"):
        asked["DnsServers"] = servers.get("CustomDnsServers")
    _endpoint(self).change(asked)
    return ActionResult({"Return": True})


@add(EC2Response)
def delete_client_vpn_endpoint(self: EC2Response) -> ActionResult:
    """Remove an endpoint with its rules."""
    del _endpoints(self)[_endpoint(self).id]
    return ActionResult({"Status": {"Code": "deleted"}})


@add(EC2Response)
def associate_client_vpn_target_network(self: EC2Response) -> ActionResult:
    """Put the endpoint into a subnet."""
    endpoint = _endpoint(self)
    subnet = self.ec2_backend.get_subnet(self._get_param("SubnetId"))
    association = f"cvpn-assoc-{uuid4().hex[:17]}"
    endpoint.networks[association] = {
        "AssociationId": association,
        "ClientVpnEndpointId": endpoint.id,
        "SecurityGroups": endpoint.description().get("SecurityGroupIds", []),
        "Status": {"Code": "associated"},
        "TargetNetworkId": subnet.id,
        "VpcId": subnet.vpc_id,
    }
    return ActionResult({"AssociationId": association, "Status": {"Code": "associating"}})


@add(EC2Response)
def describe_client_vpn_target_networks(self: EC2Response) -> ActionResult:
    """The subnets of an endpoint."""
    ids = self._get_param("AssociationIds", [])
    networks = [
        network for name, network in _endpoint(self).networks.items() if not ids or name in ids
    ]
    return ActionResult({"ClientVpnTargetNetworks": networks})


@add(EC2Response)
def disassociate_client_vpn_target_network(self: EC2Response) -> ActionResult:
    """Take the endpoint out of a subnet."""
    association = self._get_param("AssociationId")
    if _endpoint(self).networks.pop(association, None) is None:
        raise EC2ClientError(
            "InvalidClientVpnAssociationId.NotFound", f"Association {association} does not exist"
        )
    return ActionResult({"AssociationId": association, "Status": {"Code": "disassociating"}})


@add(EC2Response)
def authorize_client_vpn_ingress(self: EC2Response) -> ActionResult:
    """Let clients into a network."""
    cidr = self._get_param("TargetNetworkCidr")
    group = self._get_param("AccessGroupId", "")
    _endpoint(self).rules[cidr, group] = {
        "AccessAll": bool(self._get_param("AuthorizeAllGroups")),
        "ClientVpnEndpointId": self._get_param("ClientVpnEndpointId"),
        "Description": self._get_param("Description"),
        "DestinationCidr": cidr,
        "GroupId": group,
        "Status": {"Code": "active"},
    }
    return ActionResult({"Status": {"Code": "active"}})


@add(EC2Response)
def describe_client_vpn_authorization_rules(self: EC2Response) -> ActionResult:
    """The rules of an endpoint."""
    filters = self._filters_from_querystring()
    cidrs = filters.get("destination-cidr")
    groups = filters.get("group-id")
    rules = [
        rule
        for (cidr, group), rule in _endpoint(self).rules.items()
        if (not cidrs or cidr in cidrs) and (not groups or group in groups)
    ]
    return ActionResult({"AuthorizationRules": rules})


@add(EC2Response)
def revoke_client_vpn_ingress(self: EC2Response) -> ActionResult:
    """Take a rule back."""
    key = (self._get_param("TargetNetworkCidr"), self._get_param("AccessGroupId", ""))
    _endpoint(self).rules.pop(key, None)
    return ActionResult({"Status": {"Code": "revoking"}})


@wrap(TagResponse)
def create_tags(original: Method, self: TagResponse) -> ActionResult:
    """moto refuses ids with two hyphens."""
    names, tags = _tagged(self)
    if not names:
        answer: ActionResult = original(self)
        return answer
    self.ec2_backend.create_tags(names, tags)
    return EmptyResult()


@wrap(TagResponse)
def delete_tags(original: Method, self: TagResponse) -> ActionResult:
    """The same here."""
    names, tags = _tagged(self)
    if not names:
        answer: ActionResult = original(self)
        return answer
    self.ec2_backend.delete_tags(names, tags)
    return EmptyResult()


def _tagged(response: TagResponse) -> tuple[list[str], dict[str, str | None]]:
    """The endpoints that a request is about, if it is about any, and its tags."""
    names = [name for name in response._get_param("Resources", []) if name.startswith(_PREFIX)]
    return names, {tag["Key"]: tag.get("Value") for tag in response._get_param("Tags", [])}
