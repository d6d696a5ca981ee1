"""VPC, Client VPN, and the way to DSQL."""

from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    Table,
    each_field,
    refuses,
    refuses_each,
    retention,
    takes,
    takes_each,
    whole,
)

REGIONS = refuses_each(
    "region is the code of an AWS region",
    "region",
    ["", "eu-west", "eu-west-1a", "EU-WEST-1", "Ireland", "eu_west_1", "eu-west-12"],
)
_ZONES = [f"eu-west-1{letter}" for letter in "abcdefg"]
_CIDR = "vpc_cidr is an IPv4 network of /16 to /20"

VPC = Table(
    "modules/vpc",
    [
        *PROJECT_NAMES,
        *REGIONS,
        *takes(region="us-gov-west-1", availability_zones=["us-gov-west-1a", "us-gov-west-1b"]),
        *takes_each(
            "vpc_cidr", ["10.0.0.0/16", "192.168.240.0/20", "172.31.128.0/17", "100.64.0.0/16"]
        ),
        *refuses_each(
            _CIDR,
            "vpc_cidr",
            [
                "",
                "10.0.0.0",
                "10.0.0.0/15",
                "10.0.0.0/21",
                "10.0.0.0/28",
                "10.0.1.0/16",
                "10.0.8.0/20",
                "10.0.0.256/16",
                "10.0.0/16",
                "010.0.0.0/16",
                "fd00::/16",
                "0.0.0.0/0",
                "10.0.0.0/016",
            ],
        ),
        *refuses_each(
            "vpc_cidr is in a range that no VPC can have",
            "vpc_cidr",
            ["0.0.0.0/16", "127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "255.255.0.0/16"],
        ),
        *takes_each("availability_zones", [_ZONES[:2], _ZONES[:6], _ZONES[2:0:-1]]),
        *refuses_each(
            "availability_zones lists 2 to 6 zones", "availability_zones", [[], _ZONES[:1], _ZONES]
        ),
        *refuses_each(
            "availability_zones names a zone twice",
            "availability_zones",
            [["eu-west-1a", "eu-west-1a"], ["eu-west-1a", "eu-west-1b", "eu-west-1a"]],
        ),
        *refuses_each(
            "availability_zones has a zone that is not of region",
            "availability_zones",
            [
                ["eu-west-1a", "eu-west-2b"],
                ["us-east-1a", "us-east-1b"],
                ["eu-west-1a", "eu-west-1"],
                ["eu-west-1a", "euw1-az1"],
                ["eu-west-1A", "eu-west-1B"],
                ["a", "b"],
            ],
        ),
        *refuses("availability_zones has a zone that is not of region", region="eu-central-1"),
        *takes_each("nat", ["none", "one", "per_az"]),
        *refuses_each("nat is none, one or per_az", "nat", ["", "two", "None", "per-az"]),
        *takes_each(
            "interface_endpoints",
            [None, [], ["sts"], ["ecr.api", "ecr.dkr", "logs", "ssm", "ssmmessages"]],
        ),
        *refuses_each(
            "interface_endpoints names a service that nothing here calls",
            "interface_endpoints",
            [["s3"], ["dynamodb"], ["dsql"], ["ecr.api", "rds"], ["ECR.API"], [""]],
        ),
        *takes_each("trusted_account_ids", [[], ["012345678901", "999999999999"]]),
        *refuses_each(
            "trusted_account_ids lists account ids of 12 digits",
            "trusted_account_ids",
            [["12345678901"], ["1234567890123"], ["123456789012", "*"], ["1234-5678-9012"]],
        ),
        *each_field(
            [
                *takes_each("traffic_type", ["REJECT", "ACCEPT", "ALL"]),
                *refuses_each(
                    "flow_logs.traffic_type is REJECT", "traffic_type", ["", "reject", "NONE"]
                ),
                *retention("retention_days", "flow_logs.retention_days"),
                *takes(enabled=False),
            ],
            "flow_logs",
        ),
    ],
)

_CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/fedcba98-7654-3210-fedc-ba9876543210"
_BY_CERTIFICATE = {
    "type": "certificate-authentication",
    "root_certificate_chain_arn": _CERTIFICATE,
}
_BY_DIRECTORY = {"type": "directory-service-authentication", "active_directory_id": "d-0123456789"}
_BY_SAML = {
    "type": "federated-authentication",
    "saml_provider_arn": "arn:aws:iam::123456789012:saml-provider/office",
}
_NOT_WITHIN = "authorized_cidrs has a network that is not within the VPC"

CLIENT_VPN = Table(
    "modules/client-vpn",
    [
        *PROJECT_NAMES,
        *refuses_each(
            "vpc_cidr is the IPv4 network of the VPC", "vpc_cidr", ["", "10.0.0.0", "fd00::/56"]
        ),
        *takes_each("subnet_ids", [["subnet-0123456789abcdef0"]]),
        *refuses_each("subnet_ids is empty", "subnet_ids", [[]]),
        *takes_each("client_vpn_cidr", ["10.100.0.0/22", "10.16.0.0/12", "10.1.0.0/16"]),
        *refuses_each(
            "client_vpn_cidr is an IPv4 network of /12 to /22",
            "client_vpn_cidr",
            [
                "",
                "10.100.0.0",
                "10.100.0.0/11",
                "10.100.0.0/23",
                "10.100.0.0/24",
                "10.100.1.0/22",
                "fd00::/16",
                "10.300.0.0/22",
            ],
        ),
        *refuses_each(
            "client_vpn_cidr overlaps vpc_cidr",
            "client_vpn_cidr",
            ["10.0.0.0/16", "10.0.0.0/22", "10.0.252.0/22", "10.0.0.0/12"],
        ),
        *takes(vpc_cidr="10.0.240.0/20", client_vpn_cidr="10.0.236.0/22"),
        *refuses_each(
            "server_certificate_arn is the ARN of a certificate in ACM",
            "server_certificate_arn",
            [
                "",
                "01234567-89ab-cdef-0123-456789abcdef",
                "arn:aws:iam::123456789012:server-certificate/vpn",
                "arn:aws:acm:eu-west-1:123456789012:certificate/",
                "arn:aws:acm:eu-west-1:1234:certificate/01234567-89ab-cdef-0123-456789abcdef",
            ],
        ),
        *takes_each(
            "authentication_options",
            [
                [_BY_CERTIFICATE],
                [_BY_DIRECTORY],
                [_BY_SAML],
                [_BY_CERTIFICATE, _BY_DIRECTORY],
                [_BY_SAML, _BY_CERTIFICATE],
            ],
        ),
        *refuses_each(
            "authentication_options has a type that is none",
            "authentication_options",
            [[{"type": "password"}], [{**_BY_SAML, "type": "saml"}], [_BY_SAML, {"type": ""}]],
        ),
        *refuses_each(
            "authentication_options needs, and takes, one field for each type",
            "authentication_options",
            [
                [{"type": "certificate-authentication"}],
                [{**_BY_CERTIFICATE, "saml_provider_arn": "arn:aws:iam::123456789012:x"}],
                [{**_BY_DIRECTORY, "type": "federated-authentication"}],
                [{"type": "directory-service-authentication"}],
            ],
        ),
        *refuses_each(
            "authentication_options has one way",
            "authentication_options",
            [
                [],
                [_BY_DIRECTORY, _BY_SAML],
                [_BY_CERTIFICATE, _BY_CERTIFICATE],
                [_BY_CERTIFICATE, _BY_DIRECTORY, _BY_SAML],
            ],
        ),
        *takes_each(
            "authorized_cidrs", [None, ["10.0.0.0/16"], ["10.0.255.255/32", "10.0.16.0/20"]]
        ),
        *refuses_each(
            _NOT_WITHIN,
            "authorized_cidrs",
            [
                ["0.0.0.0/0"],
                ["::/0"],
                ["10.0.0.0/16", "0.0.0.0/0"],
                ["0.0.0.0/1", "128.0.0.0/1"],
                ["10.0.0.0/15"],
                ["10.1.0.0/16"],
                ["192.168.0.0/24"],
                ["10.0.0.0"],
                ["10.0.0.5/24"],
                [""],
            ],
        ),
        *takes_each("session_timeout_hours", [8, 10, 12, 24]),
        *refuses_each(
            "session_timeout_hours is 8, 10, 12 or 24", "session_timeout_hours", [0, 7, 9, 25]
        ),
        *retention(),
    ],
)

_ID = "abcdefghijklmnopqrstuvwxyz"
_HOST = f"{_ID}.dsql.eu-west-1.on.aws"
_ARN = f"arn:aws:dsql:eu-west-1:123456789012:cluster/{_ID}"
_SERVICE = "com.amazonaws.eu-west-1.dsql-fnh4"
_BROUGHT = {"endpoint": _HOST, "arn": _ARN, "vpc_endpoint_service_name": _SERVICE}

DSQL = Table(
    "modules/dsql",
    [
        *PROJECT_NAMES,
        *REGIONS,
        *takes(**_BROUGHT),
        *takes(private_link=False, endpoint=_HOST, arn=_ARN),
        *(
            case
            for host in [
                f"https://{_HOST}",
                f"{_HOST}:5432",
                "10.0.0.1",
                "db.example.com",
                f"{_ID}.dsql.eu-west-1.amazonaws.com",
                "",
            ]
            for case in refuses(
                "endpoint is the host name of a DSQL cluster alone",
                **{**_BROUGHT, "endpoint": host},
            )
        ),
        *refuses(
            "endpoint is in another region than",
            **{**_BROUGHT, "endpoint": f"{_ID}.dsql.us-east-1.on.aws"},
        ),
        *refuses("endpoint and arn are given both", endpoint=_HOST, arn=None, private_link=False),
        *refuses("endpoint and arn are given both", endpoint=None, arn=_ARN),
        *(
            case
            for arn in [
                _ID,
                f"arn:aws:dsql:us-east-1:123456789012:cluster/{_ID}",
                f"arn:aws:rds:eu-west-1:123456789012:cluster/{_ID}",
                "arn:aws:dsql:eu-west-1:123456789012:cluster/",
                f"arn:aws:dsql:eu-west-1::cluster/{_ID}",
            ]
            for case in refuses("arn is that of a DSQL cluster in", **{**_BROUGHT, "arn": arn})
        ),
        *refuses(
            "arn and endpoint name two different clusters",
            **{**_BROUGHT, "arn": "arn:aws:dsql:eu-west-1:123456789012:cluster/another"},
        ),
        *(
            case
            for service in [
                "com.amazonaws.eu-west-1.dsql",
                "com.amazonaws.us-east-1.dsql-fnh4",
                "dsql-fnh4",
            ]
            for case in refuses(
                "vpc_endpoint_service_name is that of connections",
                **{**_BROUGHT, "vpc_endpoint_service_name": service},
            )
        ),
        *refuses(
            "private_link to a cluster that exists already needs vpc_endpoint_service_name",
            endpoint=_HOST,
            arn=_ARN,
            vpc_endpoint_service_name=None,
        ),
        *refuses("private_link needs a place for its endpoint", private_link=True, vpc_id=None),
        *refuses("private_link needs a place for its endpoint", private_link=True, subnet_ids=None),
        *refuses("private_link needs a place for its endpoint", private_link=True, subnet_ids=[]),
        *takes(private_link=False, vpc_id=None, subnet_ids=None),
        *each_field(
            [
                *takes_each(
                    "schedule", ["cron(0 3 * * ? *)", "cron(0/30 0-6,22 ? * MON-FRI 2027)"]
                ),
                *refuses_each(
                    "backup.schedule is a cron expression",
                    "schedule",
                    [
                        "",
                        "daily",
                        "0 3 * * *",
                        "cron(0 3 * * *)",
                        "cron(0 3 * * * *)",
                        "cron(0 3 ? * ? *)",
                        "rate(1 day)",
                        "cron()",
                    ],
                ),
                *whole("retention_days", 1, 36500, "backup.retention_days is a whole number"),
            ],
            "backup",
        ),
    ],
)

TABLES = [VPC, CLIENT_VPN, DSQL]
