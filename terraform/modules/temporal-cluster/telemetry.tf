# Metrics and logs: workspace, Grafana, Loki, and the collector beside each server.

module "observability" {
  source = "../observability"

  project_name                  = var.project_name
  region                        = var.region
  vpc_id                        = local.vpc.vpc_id
  subnet_ids                    = local.vpc.private_subnet_ids
  cluster_arn                   = local.cluster.arn
  cluster_name                  = local.cluster.name
  capacity_provider_name        = one([for name in local._attached : name if name == local.capacity_provider_names.loki])
  private_dns_namespace_id      = local.cluster.private_dns_namespace_id
  private_dns_namespace_name    = local.cluster.private_dns_namespace_name
  placement_constraints         = local.placement_constraints.loki
  existing_prometheus_workspace = var.telemetry.existing_prometheus_workspace
  grafana_image                 = var.images.grafana
  loki_image                    = var.images.loki
  adot                          = { enabled = var.telemetry.adot_enabled, image = var.images.adot }
  grafana_enabled               = var.telemetry.grafana_enabled
  grafana_admin_secret_name     = coalesce(var.grafana_admin_secret_name, "${var.project_name}/grafana/admin")
  grafana_execution_role_arn    = module.iam.grafana_execution_role_arn
  grafana_task_role_arn         = module.iam.grafana_task_role_arn
  loki_enabled                  = var.telemetry.loki_enabled
  loki_retention_days           = var.telemetry.loki_retention_days
  loki_bucket_force_destroy     = !var.deletion_protection
  loki_task_role_arn            = module.iam.loki_task_role_arn
  execution_role_arn            = module.iam.execution_role_arn
  adot_task_role_arn            = module.iam.adot_task_role_arn
  log_retention_days            = var.log_retention_days
  kms_key_arn                   = local.kms_key_arn
  tags                          = var.tags
}
