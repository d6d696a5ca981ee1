# From the addresses of the flat layout to those of modules/temporal-cluster. To be copied beside main.tf of an
# environment for one apply; see README.md. The zones are those of eu-west-1, a and b, in the order of
# availability_zones: change them everywhere if yours are others.

# Network: what is moved keeps its id, so subnets, the NAT gateway and its address stay.

moved {
  from = aws_vpc.main
  to   = module.temporal.module.vpc[0].aws_vpc.this
}

moved {
  from = aws_subnet.private[0]
  to   = module.temporal.module.vpc[0].aws_subnet.private["eu-west-1a"]
}

moved {
  from = aws_subnet.private[1]
  to   = module.temporal.module.vpc[0].aws_subnet.private["eu-west-1b"]
}

moved {
  from = aws_route_table_association.private[0]
  to   = module.temporal.module.vpc[0].aws_route_table_association.private["eu-west-1a"]
}

moved {
  from = aws_route_table_association.private[1]
  to   = module.temporal.module.vpc[0].aws_route_table_association.private["eu-west-1b"]
}

moved {
  from = aws_route_table.private
  to   = module.temporal.module.vpc[0].aws_route_table.private["eu-west-1a"]
}

moved {
  from = aws_subnet.public_nat
  to   = module.temporal.module.vpc[0].aws_subnet.public_nat["eu-west-1a"]
}

moved {
  from = aws_internet_gateway.main
  to   = module.temporal.module.vpc[0].aws_internet_gateway.this[0]
}

moved {
  from = aws_eip.nat
  to   = module.temporal.module.vpc[0].aws_eip.nat["eu-west-1a"]
}

moved {
  from = aws_nat_gateway.main
  to   = module.temporal.module.vpc[0].aws_nat_gateway.this["eu-west-1a"]
}

moved {
  from = aws_route_table.public
  to   = module.temporal.module.vpc[0].aws_route_table.public_nat[0]
}

moved {
  from = aws_route_table_association.public_nat
  to   = module.temporal.module.vpc[0].aws_route_table_association.public_nat["eu-west-1a"]
}

# Endpoints. Their one group is replaced by one group each, and forgotten by removed.tf.

moved {
  from = aws_vpc_endpoint.ecr_api
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["ecr.api"]
}

moved {
  from = aws_vpc_endpoint.ecr_dkr
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["ecr.dkr"]
}

moved {
  from = aws_vpc_endpoint.logs
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["logs"]
}

moved {
  from = aws_vpc_endpoint.ssm
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["ssm"]
}

moved {
  from = aws_vpc_endpoint.ssmmessages
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["ssmmessages"]
}

moved {
  from = aws_vpc_endpoint.secretsmanager
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["secretsmanager"]
}

moved {
  from = aws_vpc_endpoint.aps_workspaces
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.interface["aps-workspaces"]
}

moved {
  from = aws_vpc_endpoint.s3
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.gateway["s3"]
}

# ECS cluster and namespace.

moved {
  from = aws_ecs_cluster.main
  to   = module.temporal.module.ecs_cluster[0].aws_ecs_cluster.this
}

moved {
  from = aws_service_discovery_http_namespace.main
  to   = module.temporal.module.ecs_cluster[0].aws_service_discovery_http_namespace.this
}

# OpenSearch, AMP.

moved {
  from = aws_opensearch_domain.temporal
  to   = module.temporal.module.opensearch.aws_opensearch_domain.this[0]
}

moved {
  from = aws_security_group.opensearch
  to   = module.temporal.module.opensearch.aws_security_group.this[0]
}

moved {
  from = aws_prometheus_workspace.main
  to   = module.temporal.module.observability.aws_prometheus_workspace.this[0]
}

# Task roles: their ARNs, which the policies of other accounts may name, stay.

moved {
  from = aws_iam_role.ecs_execution
  to   = module.temporal.module.iam.aws_iam_role.execution["ecs-execution"]
}

moved {
  from = aws_iam_role.temporal_task
  to   = module.temporal.module.iam.aws_iam_role.task["temporal-task"]
}

moved {
  from = aws_iam_role.temporal_ui_task
  to   = module.temporal.module.iam.aws_iam_role.task["temporal-ui-task"]
}

moved {
  from = aws_iam_role.grafana_task
  to   = module.temporal.module.iam.aws_iam_role.task["grafana-task"]
}

moved {
  from = aws_iam_role.adot_task
  to   = module.temporal.module.iam.aws_iam_role.task["adot-task"]
}

moved {
  from = aws_iam_role.opensearch_setup_task
  to   = module.temporal.module.iam.aws_iam_role.task["opensearch-setup-task"]
}

# Log groups with what is in them.

moved {
  from = aws_cloudwatch_log_group.ecs_exec
  to   = module.temporal.module.ecs_cluster[0].aws_cloudwatch_log_group.ecs_exec
}

moved {
  from = aws_cloudwatch_log_group.temporal_history
  to   = module.temporal.module.temporal_service["history"].aws_cloudwatch_log_group.this
}

moved {
  from = aws_cloudwatch_log_group.temporal_matching
  to   = module.temporal.module.temporal_service["matching"].aws_cloudwatch_log_group.this
}

moved {
  from = aws_cloudwatch_log_group.temporal_frontend
  to   = module.temporal.module.temporal_service["frontend"].aws_cloudwatch_log_group.this
}

moved {
  from = aws_cloudwatch_log_group.temporal_worker
  to   = module.temporal.module.temporal_service["worker"].aws_cloudwatch_log_group.this
}

moved {
  from = aws_cloudwatch_log_group.temporal_ui
  to   = module.temporal.module.temporal_ui[0].aws_cloudwatch_log_group.this
}

moved {
  from = aws_cloudwatch_log_group.grafana
  to   = module.temporal.module.observability.aws_cloudwatch_log_group.this["grafana"]
}

moved {
  from = aws_cloudwatch_log_group.adot
  to   = module.temporal.module.observability.aws_cloudwatch_log_group.this["adot"]
}

moved {
  from = aws_cloudwatch_log_group.opensearch_setup
  to   = module.temporal.module.opensearch.aws_cloudwatch_log_group.setup
}

# Groups of services stay, with their ids; their rules are revoked beforehand and made anew.

moved {
  from = aws_security_group.temporal_history
  to   = module.temporal.module.temporal_service["history"].aws_security_group.this
}

moved {
  from = aws_security_group.temporal_matching
  to   = module.temporal.module.temporal_service["matching"].aws_security_group.this
}

moved {
  from = aws_security_group.temporal_frontend
  to   = module.temporal.module.temporal_service["frontend"].aws_security_group.this
}

moved {
  from = aws_security_group.temporal_worker
  to   = module.temporal.module.temporal_service["worker"].aws_security_group.this
}

moved {
  from = aws_security_group.temporal_ui
  to   = module.temporal.module.temporal_ui[0].aws_security_group.this
}

moved {
  from = aws_security_group.grafana
  to   = module.temporal.module.observability.aws_security_group.this["grafana"]
}

moved {
  from = aws_security_group.adot
  to   = module.temporal.module.observability.aws_security_group.this["adot"]
}

moved {
  from = aws_security_group.opensearch_setup
  to   = module.temporal.module.opensearch.aws_security_group.setup
}

# Task definitions are replaced by their next revisions, the parameter by one with another name.

moved {
  from = aws_ecs_task_definition.temporal_history
  to   = module.temporal.module.temporal_service["history"].aws_ecs_task_definition.this
}

moved {
  from = aws_ecs_task_definition.temporal_matching
  to   = module.temporal.module.temporal_service["matching"].aws_ecs_task_definition.this
}

moved {
  from = aws_ecs_task_definition.temporal_frontend
  to   = module.temporal.module.temporal_service["frontend"].aws_ecs_task_definition.this
}

moved {
  from = aws_ecs_task_definition.temporal_worker
  to   = module.temporal.module.temporal_service["worker"].aws_ecs_task_definition.this
}

moved {
  from = aws_ecs_task_definition.temporal_ui
  to   = module.temporal.module.temporal_ui[0].aws_ecs_task_definition.this
}

moved {
  from = aws_ecs_task_definition.grafana
  to   = module.temporal.module.observability.aws_ecs_task_definition.this["grafana"]
}

moved {
  from = aws_ecs_task_definition.adot
  to   = module.temporal.module.observability.aws_ecs_task_definition.this["adot"]
}

moved {
  from = aws_ecs_task_definition.opensearch_setup
  to   = module.temporal.module.opensearch.aws_ecs_task_definition.setup
}

moved {
  from = aws_ssm_parameter.adot_config
  to   = module.temporal.module.observability.aws_ssm_parameter.adot[0]
}
