"""ECS cluster, instances, and what runs on them beside Temporal's roles."""

from tests.terraform.inputs.table import (
    PROJECT_NAMES,
    Table,
    image,
    refuses,
    refuses_each,
    retention,
    size,
    takes,
    takes_each,
    whole,
)

ECS_CLUSTER = Table(
    "modules/ecs-cluster",
    [
        *PROJECT_NAMES,
        *retention(),
        *takes_each("container_insights", ["enabled", "enhanced", "disabled"]),
        *refuses_each(
            "container_insights is enabled, enhanced or disabled",
            "container_insights",
            ["", "on", "Enabled", "true"],
        ),
    ],
)

GRAVITON = [
    "a2g.large",
    "c6g.metal",
    "c6gd.16xlarge",
    "c6gn.medium",
    "c7g.12xlarge",
    "c7gn.2xlarge",
    "c8g.metal-48xl",
    "c8gn.large",
    "g5g.xlarge",
    "hpc7g.16xlarge",
    "i4g.large",
    "i8g.4xlarge",
    "i8ge.large",
    "im4gn.large",
    "is4gen.medium",
    "m6g.large",
    "m6gd.4xlarge",
    "m7g.large",
    "m7gd.xlarge",
    "m8g.24xlarge",
    "m8gb.large",
    "m8gd.metal-24xl",
    "r6g.8xlarge",
    "r7g.large",
    "r8g.48xlarge",
    "t4g.micro",
    "t4g.nano",
    "t4g.small",
    "x2gd.medium",
    "x8g.large",
]
NOT_GRAVITON = [
    "",
    "c5.large",
    "c6gn",
    "c6i.large",
    "c7a.large",
    "c7i-flex.large",
    "g.large",
    "g4dn.xlarge",
    "g5.xlarge",
    "g6e.xlarge",
    "gr6.4xlarge",
    "i4i.large",
    "m5.large",
    "m6a.large",
    "m7g",
    "m7g.",
    "m7g.big",
    "m7g.extra-large",
    "m7g.large.search",
    "m7g large",
    "m7gLarge",
    "M7G.LARGE",
    "m7i-flex.large",
    "mac2-m2.metal",
    "p4d.24xlarge",
    "p5.48xlarge",
    "r5.large",
    "t2.micro",
    "t3.large",
    "t3a.large",
    "u-6tb1.metal",
    "x2iedn.xlarge",
]

EC2_CAPACITY = Table(
    "modules/ec2-capacity",
    [
        *PROJECT_NAMES,
        *takes_each("project_name", ["my-ecs", "fargat"]),
        *refuses_each(
            "project_name begins the name of a capacity provider",
            "project_name",
            ["aws-temporal", "ecs-dev", "fargate1", "awsome"],
        ),
        *takes_each("name", ["m1", "benchmark-of-history"]),
        *refuses_each(
            "name is 2 to 20 characters",
            "name",
            ["", "m", "benchmark-of-history1", "Main", "-main", "main-", "1st", "two words"],
        ),
        *refuses_each("subnet_ids is empty", "subnet_ids", [[]]),
        *takes_each("instance_type", GRAVITON),
        *refuses_each("instance_type is not a Graviton type", "instance_type", NOT_GRAVITON),
        *takes(min_size=0, instance_count=0, max_size=1),
        *takes(min_size=1, instance_count=1, max_size=1),
        *takes(min_size=0, instance_count=100, max_size=100),
        *refuses_each("instance_count is a whole number from", "instance_count", [1, 7, 2.5, -1]),
        *refuses("instance_count is a whole number from", min_size=6, instance_count=6, max_size=5),
        *refuses_each("min_size is a whole number, 0 or more", "min_size", [-1, 0.5]),
        *refuses("max_size is a whole number, 1 or more", min_size=0, instance_count=0, max_size=0),
        *refuses_each("max_size is a whole number, 1 or more", "max_size", [6.5, -1]),
        *whole("volume_size", 30, 16384, "volume_size is a whole number of GiB"),
        *takes_each("ami_id", [None, "ami-01234567", "ami-0123456789abcdef0"]),
        *refuses_each(
            "ami_id is the id of an image",
            "ami_id",
            ["", "ami-", "ami-0123456", "ami-0123456789", "ami-0123456789ABCDEF0", "i-01234567"],
        ),
        *takes_each(
            "instance_attributes",
            [{}, {"workload": "history"}, {"a" * 128: "b" * 128}, {"x.y/z_1-": "x:@/._-"}],
        ),
        *refuses_each(
            "instance_attributes has names of letters",
            "instance_attributes",
            [{"": "x"}, {"work load": "x"}, {"x": ""}, {"x": "{}"}, {"a" * 129: "x"}, {"@": "x"}],
        ),
        *whole("target_capacity", 1, 100, "target_capacity is a whole percentage"),
        *whole("instance_warmup_seconds", 0, 10000, "instance_warmup_seconds is a whole number"),
        *refuses_each("tags must leave AmazonECSManaged", "tags", [{"AmazonECSManaged": ""}]),
    ],
)

COUNTS = [
    *whole("desired_count", 0, None, "desired_count is a whole number, 0 or more"),
    *whole("replicas", 0, None, "replicas is a whole number, 0 or more"),
]

TEMPORAL_UI = Table(
    "modules/temporal-ui", [*PROJECT_NAMES, *image(), *size(), *COUNTS, *retention()]
)

BENCHMARK = Table(
    "modules/benchmark",
    [
        *PROJECT_NAMES,
        *image("benchmark_image"),
        *size(),
        *size("worker_cpu", "worker_memory"),
        *whole("max_instances", 1, 100, "max_instances is a whole number from 1 to 100"),
        *retention(),
    ],
)

TABLES = [ECS_CLUSTER, EC2_CAPACITY, TEMPORAL_UI, BENCHMARK]
