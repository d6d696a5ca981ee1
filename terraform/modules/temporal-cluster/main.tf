# A whole Temporal cluster on ECS: what stands where. Each file of this module is one concern.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "topology" {
  source = "../topology"
}

module "vpc" {
  source = "../vpc"
  count  = var.existing_vpc == null ? 1 : 0

  project_name             = var.project_name
  region                   = var.region
  vpc_cidr                 = var.vpc_cidr
  availability_zones       = var.availability_zones
  nat                      = var.nat
  interface_endpoints      = var.interface_endpoints
  ec2messages_endpoint     = var.ec2messages_endpoint
  trusted_account_ids      = var.trusted_account_ids
  kms_key_arn              = local.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags

  flow_logs = {
    enabled        = var.telemetry.flow_logs_enabled
    traffic_type   = var.telemetry.flow_logs_traffic_type
    retention_days = var.log_retention_days
  }
}

module "ecs_cluster" {
  source = "../ecs-cluster"
  count  = var.existing_ecs_cluster == null ? 1 : 0

  project_name       = var.project_name
  vpc_id             = local.vpc.vpc_id
  log_retention_days = var.log_retention_days
  container_insights = var.container_insights
  kms_key_arn        = local.kms_key_arn
  tags               = var.tags
}

locals {
  vpc = var.existing_vpc == null ? {
    vpc_id                      = module.vpc[0].vpc_id
    vpc_cidr                    = module.vpc[0].vpc_cidr
    private_subnet_ids          = module.vpc[0].private_subnet_ids
    internet                    = var.nat != "none"
    endpoint_security_group_ids = module.vpc[0].endpoint_security_group_ids
    gateway_prefix_list_ids     = module.vpc[0].gateway_prefix_list_ids
  } : var.existing_vpc

  cluster = var.existing_ecs_cluster == null ? {
    name                          = module.ecs_cluster[0].cluster_name
    arn                           = module.ecs_cluster[0].cluster_arn
    service_connect_namespace_arn = module.ecs_cluster[0].service_connect_namespace_arn
    private_dns_namespace_id      = module.ecs_cluster[0].private_dns_namespace_id
    private_dns_namespace_name    = module.ecs_cluster[0].private_dns_namespace_name
    exec_log_group_arn            = module.ecs_cluster[0].ecs_exec_log_group_arn
    } : {
    name                          = var.existing_ecs_cluster.name
    arn                           = var.existing_ecs_cluster.arn
    service_connect_namespace_arn = var.existing_ecs_cluster.service_connect_namespace_arn
    private_dns_namespace_id      = var.existing_ecs_cluster.private_dns_namespace_id
    private_dns_namespace_name    = var.existing_ecs_cluster.private_dns_namespace_name
    exec_log_group_arn            = var.existing_ecs_cluster.exec_log_group_arn
  }

  # What the servers, and only they, are called in names and rules.
  roles_of_temporal = keys(module.topology.roles)
}
