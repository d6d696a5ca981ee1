"""Accounts, and environments as their users meet them: each is planned by itself."""

from tests.terraform.inputs.cluster import ECR, PRIVATE_IMAGES
from tests.terraform.inputs.network import REGIONS
from tests.terraform.inputs.table import Table, refuses, refuses_each, takes, takes_each

_BUCKET = "state_bucket_name is 3 to 63 characters"
ACCOUNT = Table(
    "account",
    [
        *(case for case in REGIONS if case.because),
        *takes(account_id="012345678901", prefix="t1", image_repositories=["ab"]),
        *takes(prefix="t" * 19, state_bucket_name="a.b", service_linked_roles=[]),
        *refuses_each(
            "account_id is 12 digits", "account_id", ["", "12345678901", "1234-5678-9012"]
        ),
        *refuses_each(
            "prefix is 2 to 19 characters", "prefix", ["", "t", "t" * 20, "T1", "-t", "t-", "a.b"]
        ),
        *refuses_each(
            _BUCKET,
            "state_bucket_name",
            ["", "ab", "b" * 64, "My-bucket", "a_b", "-ab", "ab-", "a..b", "192.168.1.1"],
        ),
        *takes_each("state_bucket_name", ["b" * 63]),
        *refuses_each(
            "image_repositories has names of 2 to 256 characters",
            "image_repositories",
            [["a"], ["Temporal"], ["a//b"], ["-ab"], ["ab", "a b"], ["r" * 257]],
        ),
        *refuses_each(
            "service_linked_roles has names of services",
            "service_linked_roles",
            [["ecs"], ["ecs.amazonaws.com", "es"], [""]],
        ),
    ],
    base={"region": "eu-west-1"},
    by_itself=True,
)

_IMAGES = {"temporal_image": f"{ECR}/server:1", "temporal_admin_tools_image": f"{ECR}/tools:1"}
_VPN = {
    "server_certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/0123",
    "authentication_options": [
        {"type": "federated-authentication", "saml_provider_arn": "arn:aws:iam::1:saml-provider/x"}
    ],
}
_ACCOUNT_ID = [
    *takes(account_id="123456789012"),
    *refuses_each("account_id is the 12 digits of an AWS account", "account_id", ["", "1234"]),
]

DEV = Table(
    "envs/dev",
    [
        *_ACCOUNT_ID,
        *refuses("cpu is one of 256", roles={"history": {"cpu": 300}}),
        *refuses("memory is 1 to 8 MiB", roles={"history": {"cpu": 1024, "memory": 512}}),
        *refuses("replicas is a whole number", roles={"worker": {"replicas": -1}}),
        *refuses(
            "a deployment could not replace a single task",
            roles={"history": {"minimum_healthy_percent": 100, "maximum_percent": 100}},
        ),
        *refuses("vpc_cidr is an IPv4 network of /16 to /20", vpc_cidr="10.0.0.0/8"),
        *refuses("availability_zones lists 2 to 6 zones", availability_zones=["eu-west-1a"]),
        *refuses("availability_zones has a zone that is not of region", region="eu-central-1"),
        *refuses("history_shards is a power of two", history_shards=500),
        *refuses("log_retention_days is one of CloudWatch's", log_retention_days=8),
        *refuses("project_name is 2 to 22 characters", project_name="Temporal"),
        *refuses("image needs a tag of its own or a digest", temporal_image=f"{ECR}/server:latest"),
        *refuses("image needs a tag of its own or a digest", temporal_image=f"{ECR}/server"),
        *refuses("instance_type is not a Graviton type", capacity={"instance_type": "m7i.large"}),
        *refuses("instance_count is a whole number from", capacity={"instance_count": 7}),
        *refuses(
            "authorized_cidrs has a network that is not within the VPC",
            client_vpn={**_VPN, "authorized_cidrs": ["0.0.0.0/0"]},
        ),
        *refuses(
            "reservoir.base_lifetime_seconds exceeds guard_window_seconds",
            connections={"reservoir": {"guard_window_seconds": 600}},
        ),
    ],
    base=_IMAGES,
    by_itself=True,
)
BENCH = Table("envs/bench", _ACCOUNT_ID, base={**_IMAGES, "images": PRIVATE_IMAGES}, by_itself=True)
PROD = Table("envs/prod", _ACCOUNT_ID, base=_IMAGES, by_itself=True)

TABLES = [ACCOUNT, DEV, BENCH, PROD]
