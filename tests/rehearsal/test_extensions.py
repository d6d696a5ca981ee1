"""What moto lacks and the extensions add, asked for as the AWS command line would."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from temporal_dsql_deploy.rehearsal.aws.extensions import patch
from temporal_dsql_deploy.rehearsal.aws.server import REGION, EmulatedAws
from tests.support.aws import client, log

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_moto_is_the_one_that_the_extensions_were_written_for() -> None:
    assert importlib.metadata.version("moto") == patch.MOTO_VERSION, (
        "moto changed: read every extension again, then change MOTO_VERSION and both pins"
    )
    pins = re.findall(r'"moto\[[\w,]+\](\S+)"', PYPROJECT.read_text())
    assert pins == [f"=={patch.MOTO_VERSION}"] * 2


def test_another_moto_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    patch.check_version()
    monkeypatch.setattr("moto.__version__", "99.0.0")
    with pytest.raises(patch.MotoChangedError, match=r"this is 99\.0\.0"):
        patch.check_version()


class Owner:
    def there(self) -> str:
        return "moto's"


def test_a_method_that_moto_has_by_now_is_not_added_over() -> None:
    def there(self: Owner) -> str:
        return "ours"

    with pytest.raises(patch.MotoChangedError, match=r"moto has Owner\.there now"):
        patch.add(Owner)(there)


def test_a_method_that_moto_has_no_more_is_not_wrapped() -> None:
    def gone(original: patch.Method, self: Owner) -> str:
        return "ours"

    with pytest.raises(patch.MotoChangedError, match=r"no Owner\.gone any more"):
        patch.wrap(Owner)(gone)


@pytest.mark.parametrize(
    ("service", "action", "arguments", "named"),
    [
        ("ec2", "describe_network_insights_paths", {}, "ec2 DescribeNetworkInsightsPaths"),
        ("ecs", "list_service_deployments", {"service": "x"}, "ecs ListServiceDeployments"),
        ("elbv2", "describe_trust_store_associations", {"TrustStoreArn": "arn"}, "TrustStore"),
        ("backup", "list_frameworks", {}, "backup GET /audit/frameworks"),
        ("grafana", "list_workspaces", {}, "grafana GET /workspaces"),
    ],
)
def test_what_it_lacks_is_one_refusal_that_names_it(
    aws: EmulatedAws, service: str, action: str, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client(aws, service), action)(**arguments)
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0
    assert answer["Error"]["Code"] == "NotInTheEmulatedAws"
    assert named in answer["Error"]["Message"]
    assert named in log(aws)


def test_what_breaks_inside_it_is_one_refusal_and_its_trace_is_in_the_log(
    aws: EmulatedAws,
) -> None:
    with pytest.raises(ClientError) as refused:
        # moto looks for the container instances of a cluster that has none.
        client(aws, "ecs").describe_container_instances(
            cluster=client(aws, "ecs").create_cluster(clusterName="bare")["cluster"]["clusterArn"],
            containerInstances=["none"],
        )
    assert refused.value.response["Error"]["Code"] == "EmulatedAwsFailed"
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert "Traceback" in log(aws)


def test_a_missing_object_stays_a_missing_object(aws: EmulatedAws) -> None:
    s3 = client(aws, "s3")
    with pytest.raises(ClientError) as missing:
        s3.head_bucket(Bucket="there-is-none")
    assert missing.value.response["Error"]["Code"] == "404"


def test_a_bucket_that_wants_tls_can_be_read_without(aws: EmulatedAws) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="tls", CreateBucketConfiguration={"LocationConstraint": REGION})
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::tls/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls", Policy=json.dumps({"Statement": [tls_only]}))
    s3.put_object(Bucket="tls", Key="key", Body=b"body")
    assert s3.get_object(Bucket="tls", Key="key")["Body"].read() == b"body"
    assert "SecureTransport" in s3.get_bucket_policy(Bucket="tls")["Policy"]


@pytest.fixture(scope="module")
def service(aws: EmulatedAws) -> dict[str, Any]:
    """A service that asks for what moto forgets."""
    ecs = client(aws, "ecs")
    ecs.create_cluster(clusterName="kept")
    ecs.register_task_definition(
        family="kept", containerDefinitions=[{"name": "main", "image": "image", "memory": 64}]
    )
    made: dict[str, Any] = ecs.create_service(
        cluster="kept",
        serviceName="kept",
        taskDefinition="kept",
        desiredCount=0,
        capacityProviderStrategy=[{"capacityProvider": "main", "weight": 1, "base": 0}],
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 150,
            "minimumHealthyPercent": 66,
        },
        enableECSManagedTags=True,
        enableExecuteCommand=True,
        healthCheckGracePeriodSeconds=90,
        placementStrategy=[{"type": "spread", "field": "instanceId"}],
        placementConstraints=[{"type": "memberOf", "expression": "attribute:x == y"}],
        propagateTags="SERVICE",
        serviceConnectConfiguration={"enabled": True, "namespace": "namespace"},
    )["service"]
    return made


def described(aws: EmulatedAws) -> dict[str, Any]:
    found: dict[str, Any] = client(aws, "ecs").describe_services(cluster="kept", services=["kept"])[
        "services"
    ][0]
    return found


def test_a_service_is_described_as_it_was_asked_for(
    aws: EmulatedAws, service: dict[str, Any]
) -> None:
    found = described(aws)
    assert found == {name: value for name, value in service.items() if name != "tags"}
    assert found["capacityProviderStrategy"][0]["capacityProvider"] == "main"
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] is True
    assert found["deploymentConfiguration"]["minimumHealthyPercent"] == 66
    assert found["enableECSManagedTags"] is True
    assert found["enableExecuteCommand"] is True
    assert found["healthCheckGracePeriodSeconds"] == 90
    assert found["placementStrategy"] == [{"type": "spread", "field": "instanceId"}]
    assert found["placementConstraints"][0]["expression"] == "attribute:x == y"
    assert found["propagateTags"] == "SERVICE"
    assert found["availabilityZoneRebalancing"] == "DISABLED"
    assert "launchType" not in found
    (deployment,) = found["deployments"]
    assert deployment["serviceConnectConfiguration"]["namespace"] == "namespace"
    assert deployment["rolloutState"] == "COMPLETED"


def test_a_changed_service_and_its_deployment_say_the_same(
    aws: EmulatedAws, service: dict[str, Any]
) -> None:
    client(aws, "ecs").update_service(
        cluster="kept", service="kept", desiredCount=3, enableExecuteCommand=False
    )
    found = described(aws)
    assert found["enableExecuteCommand"] is False
    assert found["enableECSManagedTags"] is True
    (deployment,) = found["deployments"]
    assert (deployment["desiredCount"], deployment["runningCount"]) == (3, found["runningCount"])


def test_an_account_setting_is_somebodys(aws: EmulatedAws) -> None:
    ecs = client(aws, "ecs")
    ecs.put_account_setting_default(name="awsvpcTrunking", value="enabled")
    (setting,) = ecs.list_account_settings(name="awsvpcTrunking", effectiveSettings=True)[
        "settings"
    ]
    assert setting["value"] == "enabled"
    assert setting["principalArn"].endswith(":root")


def test_ecs_exec_opens_a_session_into_a_container(
    aws: EmulatedAws, service: dict[str, Any]
) -> None:
    ecs = client(aws, "ecs")
    (task,) = ecs.run_task(cluster="kept", taskDefinition="kept", launchType="FARGATE")["tasks"]
    opened = ecs.execute_command(
        cluster="kept",
        task=task["taskArn"],
        container="main",
        command="/bin/sh",
        interactive=True,
    )
    assert opened["containerName"] == "main"
    assert opened["session"]["sessionId"].startswith("ecs-execute-command-")
    with pytest.raises(ClientError, match="not found"):
        ecs.execute_command(cluster="kept", task="none", command="/bin/sh", interactive=True)


def test_a_client_vpn_endpoint_lives(aws: EmulatedAws) -> None:
    ec2 = client(aws, "ec2")
    name = ec2.create_client_vpn_endpoint(
        ClientCidrBlock="10.100.0.0/22",
        ServerCertificateArn="arn:certificate",
        AuthenticationOptions=[
            {
                "Type": "certificate-authentication",
                "MutualAuthentication": {"ClientRootCertificateChainArn": "arn:chain"},
            }
        ],
        ConnectionLogOptions={"Enabled": False},
        TagSpecifications=[
            {"ResourceType": "client-vpn-endpoint", "Tags": [{"Key": "Name", "Value": "vpn"}]}
        ],
    )["ClientVpnEndpointId"]
    ec2.modify_client_vpn_endpoint(ClientVpnEndpointId=name, Description="new", SplitTunnel=True)
    ec2.create_tags(Resources=[name], Tags=[{"Key": "Team", "Value": "a"}])
    (endpoint,) = ec2.describe_client_vpn_endpoints(ClientVpnEndpointIds=[name])[
        "ClientVpnEndpoints"
    ]
    assert (endpoint["Description"], endpoint["SplitTunnel"]) == ("new", True)
    assert endpoint["ClientCidrBlock"] == "10.100.0.0/22"
    chain = endpoint["AuthenticationOptions"][0]["MutualAuthentication"]
    assert chain["ClientRootCertificateChain"] == "arn:chain"
    assert {tag["Key"]: tag["Value"] for tag in endpoint["Tags"]} == {"Name": "vpn", "Team": "a"}
    rule = {"ClientVpnEndpointId": name, "TargetNetworkCidr": "10.0.0.0/16"}
    ec2.authorize_client_vpn_ingress(**rule, AuthorizeAllGroups=True)
    rules = ec2.describe_client_vpn_authorization_rules(ClientVpnEndpointId=name)
    assert rules["AuthorizationRules"][0]["DestinationCidr"] == "10.0.0.0/16"
    ec2.revoke_client_vpn_ingress(**rule, RevokeAllGroups=True)
    rules = ec2.describe_client_vpn_authorization_rules(ClientVpnEndpointId=name)
    assert rules["AuthorizationRules"] == []
    subnet = ec2.describe_subnets()["Subnets"][0]
    association = ec2.associate_client_vpn_target_network(
        ClientVpnEndpointId=name, SubnetId=subnet["SubnetId"]
    )["AssociationId"]
    (network,) = ec2.describe_client_vpn_target_networks(ClientVpnEndpointId=name)[
        "ClientVpnTargetNetworks"
    ]
    assert (network["AssociationId"], network["VpcId"]) == (association, subnet["VpcId"])
    (endpoint,) = ec2.describe_client_vpn_endpoints()["ClientVpnEndpoints"]
    assert endpoint["Status"]["Code"] == "available"
    taken_away = {"ClientVpnEndpointId": name, "AssociationId": association}
    ec2.disassociate_client_vpn_target_network(**taken_away)
    with pytest.raises(ClientError, match="does not exist"):
        ec2.disassociate_client_vpn_target_network(**taken_away)
    ec2.delete_client_vpn_endpoint(ClientVpnEndpointId=name)
    with pytest.raises(ClientError, match="NotFound"):
        ec2.describe_client_vpn_endpoints(ClientVpnEndpointIds=[name])


def test_a_log_group_gets_a_key_and_loses_it(aws: EmulatedAws) -> None:
    logs = client(aws, "logs")
    logs.create_log_group(logGroupName="group")
    logs.associate_kms_key(logGroupName="group", kmsKeyId="arn:aws:kms:key")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="group")["logGroups"]
    assert group["kmsKeyId"] == "arn:aws:kms:key"
    logs.disassociate_kms_key(logGroupName="group")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="group")["logGroups"]
    assert "kmsKeyId" not in group
    with pytest.raises(ClientError, match="ResourceNotFound"):
        logs.associate_kms_key(logGroupName="none", kmsKeyId="arn:aws:kms:key")


def test_a_description_tells_no_two_rules_apart(aws: EmulatedAws) -> None:
    ec2 = client(aws, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="twice", Description="twice", VpcId=vpc)["GroupId"]

    def rule(**peer: str) -> list[dict[str, Any]]:
        peers = [{"GroupId": group, **peer}]
        ports = {"FromPort": 7233, "ToPort": 7233}
        return [{"IpProtocol": "tcp", **ports, "UserIdGroupPairs": peers}]

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule(Description="one"))
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule(Description="two"))
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule())
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["IpPermissions"] == []
