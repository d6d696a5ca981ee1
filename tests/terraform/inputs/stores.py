"""Tables, search, roles, and the sharing out of DSQL's connects."""

from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    Table,
    each_field,
    image,
    refuses,
    refuses_each,
    retention,
    takes,
    takes_each,
    whole,
)

DYNAMODB = Table("modules/dynamodb", PROJECT_NAMES)
IAM = Table("modules/iam", PROJECT_NAMES)

_ROLES = {role: {"replicas": 1} for role in ("history", "matching", "frontend", "worker")}
SHARES = [
    *takes_each("rate_share", [0.01, 1]),
    *refuses_each(
        "rate_share is the part of DSQL's 100 connects per second",
        "rate_share",
        [0, 0.009, -0.5, 1.01, 70],
    ),
]
CONNECTION_BUDGET = Table(
    "modules/connection-budget",
    [
        *takes(roles=_ROLES),
        *refuses_each(
            "roles has history, matching, frontend and worker",
            "roles",
            [
                {},
                {"history": {"replicas": 1}},
                {**_ROLES, "ui": {"replicas": 1}},
                {("backend" if role == "history" else role): size for role, size in _ROLES.items()},
            ],
        ),
        *SHARES,
    ],
)

_SUBNETS = [f"subnet-0123456789abcdef{index}" for index in range(4)]
_DOMAIN = {
    "endpoint": "vpc-temporal-x.eu-west-1.es.amazonaws.com",
    "arn": "arn:aws:es:eu-west-1:123456789012:domain/temporal",
    "security_group_id": "sg-0123456789abcdef0",
}
_MASTER = "dedicated_master.count is 3 or 5"
OPENSEARCH = Table(
    "modules/opensearch",
    [
        *(case for case in PROJECT_NAMES if case.because),
        *takes_each("project_name", ["t1", "t" * 17]),
        *takes(project_name="t" * 22, domain_name="visibility"),
        *takes(project_name="t" * 22, existing_domain=_DOMAIN),
        *refuses_each("is too long for an OpenSearch domain", "project_name", ["t" * 18, "t" * 22]),
        *refuses_each("subnet_ids names one private subnet at least", "subnet_ids", [[]]),
        *takes_each("domain_name", [None, "abc", "d" * 28]),
        *refuses_each(
            "domain_name is 3 to 28 characters",
            "domain_name",
            ["", "ab", "d" * 29, "1st", "Visibility", "my_domain", "-abc"],
        ),
        *takes(existing_domain=_DOMAIN),
        *(
            case
            for host in [
                "",
                f"https://{_DOMAIN['endpoint']}",
                f"{_DOMAIN['endpoint']}:443",
                f"{_DOMAIN['endpoint']}/",
                "10.0.0.1",
                "0123456789abcdef.eu-west-1.aoss.amazonaws.com",
            ]
            for case in refuses(
                "existing_domain.endpoint is a host name alone",
                existing_domain={**_DOMAIN, "endpoint": host},
            )
        ),
        *(
            case
            for arn in [
                "",
                "temporal",
                "arn:aws:es:eu-west-1:123456789012:domain/",
                "arn:aws:aoss:eu-west-1:123456789012:collection/temporal",
                "arn:aws:es:eu-west-1:1234:domain/temporal",
                f"{_DOMAIN['arn']}/*",
            ]
            for case in refuses(
                "existing_domain.arn is the ARN of a domain",
                existing_domain={**_DOMAIN, "arn": arn},
            )
        ),
        *takes_each("engine_version", ["OpenSearch_2.3", "OpenSearch_3.1"]),
        *refuses_each(
            "engine_version is OpenSearch_2.x or OpenSearch_3.x",
            "engine_version",
            [
                "",
                "2.19",
                "OpenSearch_1.3",
                "Elasticsearch_7.10",
                "OpenSearch_2",
                "OpenSearch_2.190",
            ],
        ),
        *takes_each("instance_type", ["t3.small.search", "or1.2xlarge.search"]),
        *refuses_each(
            "instance_type is one of OpenSearch's",
            "instance_type",
            ["", "r7g.large", "r7g.large.elasticsearch", "r7g.search", "large.search"],
        ),
        *whole("instance_count", 1, None, "instance_count is a whole number, 1 at least"),
        *takes(instance_count=1, subnet_ids=_SUBNETS),
        *takes(instance_count=2, subnet_ids=_SUBNETS),
        *takes(instance_count=3, subnet_ids=_SUBNETS),
        *takes(instance_count=6, subnet_ids=_SUBNETS),
        *takes(instance_count=3, subnet_ids=_SUBNETS[:1]),
        *refuses("does not divide over", instance_count=3, subnet_ids=_SUBNETS[:2]),
        *refuses("does not divide over", instance_count=4, subnet_ids=_SUBNETS[:3]),
        *refuses("does not divide over", instance_count=5, subnet_ids=_SUBNETS),
        *each_field(
            [
                *takes(instance_type="m7g.large.search"),
                *takes(instance_type="m7g.large.search", count=3),
                *takes(instance_type="m7g.large.search", count=5),
                *refuses(_MASTER, instance_type="m7g.large"),
                *(
                    case
                    for count in (0, 1, 2, 4, 7)
                    for case in refuses(_MASTER, instance_type="m7g.large.search", count=count)
                ),
            ],
            "dedicated_master",
        ),
        *takes(dedicated_master=None),
        *whole("volume_size", 10, None, "volume_size is a whole number of GiB, 10 at least"),
        *takes_each(
            "visibility_index_name", ["temporal_visibility_v1", "temporal_visibility_v1_x-2"]
        ),
        *refuses_each(
            "visibility_index_name begins with temporal_visibility_v1",
            "visibility_index_name",
            [
                "",
                "temporal_visibility",
                "temporal_visibility_v1_Dev",
                "temporal_visibility_v1*",
                "x",
            ],
        ),
        *image("admin_tools_image"),
        *retention(),
    ],
)

TABLES = [DYNAMODB, IAM, CONNECTION_BUDGET, OPENSEARCH]
