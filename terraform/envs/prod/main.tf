# Temporal on Aurora DSQL, production: three zones, a NAT gateway in each, what holds data protected.

module "temporal" {
  source = "../../modules/temporal-cluster"

  environment_name                  = "prod"
  project_name                      = var.project_name
  region                            = var.region
  vpc_cidr                          = var.vpc_cidr
  availability_zones                = var.availability_zones
  nat                               = var.nat
  interface_endpoints               = var.interface_endpoints
  ec2messages_endpoint              = var.ec2messages_endpoint
  trusted_account_ids               = var.trusted_account_ids
  existing_vpc                      = var.existing_vpc
  existing_ecs_cluster              = var.existing_ecs_cluster
  capacity                          = var.capacity
  placement                         = var.placement
  dsql_cluster_endpoint             = var.dsql_cluster_endpoint
  dsql_cluster_arn                  = var.dsql_cluster_arn
  dsql                              = var.dsql
  connections                       = var.connections
  roles                             = var.roles
  history_shards                    = var.history_shards
  log_level                         = var.log_level
  temporal_dynamicconfig_tmpfs_size = var.temporal_dynamicconfig_tmpfs_size
  temporal_image                    = var.temporal_image
  temporal_admin_tools_image        = var.temporal_admin_tools_image
  images                            = var.images
  opensearch                        = var.opensearch
  opensearch_visibility_index       = var.opensearch_visibility_index
  telemetry                         = var.telemetry
  grafana_admin_secret_name         = var.grafana_admin_secret_name
  ui                                = var.ui
  benchmark                         = var.benchmark
  frontend_load_balancer            = var.frontend_load_balancer
  client_vpn                        = var.client_vpn
  log_retention_days                = var.log_retention_days
  container_insights                = var.container_insights
  deletion_protection               = var.deletion_protection
  kms_key_arn                       = var.kms_key_arn
  permissions_boundary_arn          = var.permissions_boundary_arn
  tags                              = var.tags
}

# Production only: whatever would destroy this environment, or make anew what holds its data, is refused at plan.
# Who means it takes this block out first, and sets deletion_protection to false.
resource "terraform_data" "protection" {
  # A replacement of one of these replaces this resource too, which prevent_destroy refuses.
  triggers_replace = {
    project_name             = var.project_name
    dsql_cluster_arn         = module.temporal.dsql_cluster_arn
    opensearch_domain_id     = module.temporal.opensearch_domain_id
    prometheus_workspace_arn = module.temporal.prometheus_workspace_arn
    loki_s3_bucket_name      = module.temporal.loki_s3_bucket_name
    kms_key_arn              = module.temporal.kms_key_arn
  }

  lifecycle {
    prevent_destroy = true
  }
}
