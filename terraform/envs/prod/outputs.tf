output "region" {
  description = "AWS region of everything here."
  value       = var.region
}

output "project_name" {
  description = "Prefix of every name."
  value       = var.project_name
}

output "aws_account_id" {
  description = "Account that the cluster stands in."
  value       = module.temporal.aws_account_id
}

output "vpc_id" {
  description = "The VPC."
  value       = module.temporal.vpc_id
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of the zones."
  value       = module.temporal.private_subnet_ids
}

output "public_subnet_id" {
  description = "Subnet of the first NAT gateway; null without one."
  value       = module.temporal.public_subnet_id
}

output "nat_public_ips" {
  description = "Addresses from which the cluster calls the internet; empty without NAT gateways of this module."
  value       = module.temporal.nat_public_ips
}

output "ecs_cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = module.temporal.ecs_cluster_arn
}

output "ecs_cluster_name" {
  description = "Name of the ECS cluster."
  value       = module.temporal.ecs_cluster_name
}

output "capacity_provider_names" {
  description = "Capacity providers by component: on which instances its tasks run."
  value       = module.temporal.capacity_provider_names
}

output "ec2_instance_count" {
  description = "Instances at creation; ECS scales them afterwards. 0 with an existing cluster."
  value       = module.temporal.ec2_instance_count
}

output "asg_names" {
  description = "Auto Scaling groups by group of instances."
  value       = module.temporal.asg_names
}

output "services" {
  description = "ECS services by component, in the order of names: service_name, task_definition_arn, container_name, security_group_id, replicas."
  value       = module.temporal.services
}

output "start_order" {
  description = "Components in the order in which they are started: first what others push to, then the servers, then their clients."
  value       = module.temporal.start_order
}

output "dsql_cluster_endpoint" {
  description = "Host of the DSQL cluster."
  value       = module.temporal.dsql_cluster_endpoint
}

output "dsql_cluster_arn" {
  description = "ARN of the DSQL cluster."
  value       = module.temporal.dsql_cluster_arn
}

output "opensearch_domain_id" {
  description = "What AWS calls this very OpenSearch domain; null for a brought one."
  value       = module.temporal.opensearch_domain_id
}

output "opensearch_endpoint" {
  description = "Host of the OpenSearch domain."
  value       = module.temporal.opensearch_endpoint
}

output "opensearch_visibility_index" {
  description = "The visibility index."
  value       = module.temporal.opensearch_visibility_index
}

output "opensearch_setup" {
  description = "What running the set-up task takes: task_definition_arn, security_group_id, subnet_ids, log_group_name."
  value       = module.temporal.opensearch_setup
}

output "schema_setup" {
  description = "What running the task of the schema takes: task_definition_arn, security_group_id, subnet_ids, log_group_name, container_name."
  value       = module.temporal.schema_setup
}

output "admin_task" {
  description = "What running the task of operators' verbs takes: task_definition_arn, security_group_id, subnet_ids, log_group_name, container_name."
  value       = module.temporal.admin_task
}

output "deletion_protection" {
  description = "Whether what keeps data is protected: the DSQL cluster made here, tables, load balancer."
  value       = module.temporal.deletion_protection
}

output "dynamodb_table_names" {
  description = "Tables that count connections: rate_limiter and conn_lease, null where off."
  value       = module.temporal.dynamodb_table_names
}

output "prometheus_workspace_id" {
  description = "Id of the AMP workspace."
  value       = module.temporal.prometheus_workspace_id
}

output "prometheus_workspace_arn" {
  description = "ARN of the AMP workspace."
  value       = module.temporal.prometheus_workspace_arn
}

output "prometheus_endpoint" {
  description = "Remote write URL of the AMP workspace."
  value       = module.temporal.prometheus_endpoint
}

output "prometheus_query_endpoint" {
  description = "Query URL of the AMP workspace."
  value       = module.temporal.prometheus_query_endpoint
}

output "loki_endpoint" {
  description = "URL of Loki inside the VPC; null without it."
  value       = module.temporal.loki_endpoint
}

output "loki_s3_bucket_name" {
  description = "Loki's bucket; null without Loki."
  value       = module.temporal.loki_s3_bucket_name
}

output "frontend_address" {
  description = "host:port of the frontend for tasks in this VPC, by DNS."
  value       = module.temporal.frontend_address
}

output "client_security_group_id" {
  description = "Security group that lets whoever wears it call the frontend."
  value       = module.temporal.client_security_group_id
}

output "frontend_load_balancer" {
  description = "The load balancer before the frontend: dns_name, and the PrivateLink service's name; nulls without them."
  value       = module.temporal.frontend_load_balancer
}

output "benchmark" {
  description = "The benchmark: task_definition_arn, worker_service_name, capacity_provider_name, security_group_id, log_group_name; null without it."
  value       = module.temporal.benchmark
}

output "client_vpn_endpoint_id" {
  description = "The Client VPN endpoint; null without one."
  value       = module.temporal.client_vpn_endpoint_id
}

output "kms_key_arn" {
  description = "Key of logs, parameters, tables, bucket and domain."
  value       = module.temporal.kms_key_arn
}

output "connection_budget" {
  description = "Connections to DSQL: the most per second and in all that the servers may make and hold during a deployment."
  value       = module.temporal.connection_budget
}

output "ecs_exec_commands" {
  description = "A shell in a container of each component; `dsql-deploy exec` finds the task by itself."
  value       = module.temporal.ecs_exec_commands
}

output "port_forward_commands" {
  description = "The pages of UI and Grafana on this machine; `dsql-deploy open` finds task and runtime id by itself."
  value       = module.temporal.port_forward_commands
}

output "opensearch_setup_command" {
  description = "Runs the set-up task of the visibility index; `dsql-deploy visibility` waits for it and shows its log."
  value       = module.temporal.opensearch_setup_command
}

output "temporal_history_service_name" {
  description = "ECS service of history."
  value       = module.temporal.services.history.service_name
}

output "temporal_matching_service_name" {
  description = "ECS service of matching."
  value       = module.temporal.services.matching.service_name
}

output "temporal_frontend_service_name" {
  description = "ECS service of frontend."
  value       = module.temporal.services.frontend.service_name
}

output "temporal_worker_service_name" {
  description = "ECS service of worker."
  value       = module.temporal.services.worker.service_name
}

output "temporal_ui_service_name" {
  description = "ECS service of the UI; null without it."
  value       = try(module.temporal.services.ui.service_name, null)
}

output "grafana_service_name" {
  description = "ECS service of Grafana; null without it."
  value       = try(module.temporal.services.grafana.service_name, null)
}

output "all_service_names" {
  description = "ECS services of all components."
  value       = [for service in module.temporal.services : service.service_name]
}
