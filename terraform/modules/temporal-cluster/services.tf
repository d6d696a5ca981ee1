# The four roles, the UI and the benchmark.

module "temporal_service" {
  source   = "../temporal-service"
  for_each = local.roles

  project_name            = var.project_name
  environment_name        = var.environment_name
  region                  = var.region
  service_name            = each.key
  image                   = var.temporal_image
  cpu                     = each.value.cpu
  memory                  = each.value.memory
  replicas                = each.value.replicas
  minimum_healthy_percent = each.value.minimum_healthy_percent
  maximum_percent         = each.value.maximum_percent

  cluster_arn                   = local.cluster.arn
  capacity_provider_name        = local.capacity_provider_names[each.key]
  placement_constraints         = local.placement_constraints[each.key]
  vpc_id                        = local.vpc.vpc_id
  subnet_ids                    = local.vpc.private_subnet_ids
  service_connect_namespace_arn = local.cluster.service_connect_namespace_arn
  private_dns_enabled           = true
  private_dns_namespace_id      = local.cluster.private_dns_namespace_id
  target_group_arns             = each.key == "frontend" ? aws_lb_target_group.frontend[*].arn : []
  execution_role_arn            = module.iam.execution_role_arn
  task_role_arn                 = module.iam.temporal_task_role_arn

  dsql_endpoint                  = module.dsql.endpoint
  max_conns                      = try(coalesce(var.roles[each.key].max_conns, var.connections.max_conns), var.connections.max_conns)
  connection_rate_limit          = each.value.connection_rate_limit
  connection_burst_limit         = each.value.connection_burst_limit
  staggered_startup_seconds      = var.connections.staggered_startup_seconds
  rate_limiter_enabled           = var.connections.rate_limiter_enabled
  rate_limiter_table             = module.dynamodb.table_name
  rate_limiter_limit             = module.connection_budget.connects_per_second_given
  reservoir_enabled              = var.connections.reservoir_enabled
  reservoir                      = var.connections.reservoir
  distributed_conn_lease_enabled = var.connections.distributed_conn_lease_enabled
  conn_lease_table               = module.dynamodb.conn_lease_table_name
  distributed_conn_limit         = var.connections.distributed_conn_limit

  opensearch_endpoint               = module.opensearch.domain_endpoint
  visibility_index_name             = module.opensearch.visibility_index_name
  history_shards                    = var.history_shards
  log_level                         = var.log_level
  temporal_dynamicconfig_tmpfs_size = var.temporal_dynamicconfig_tmpfs_size
  sidecar                           = contains(local._collected, each.key) ? local.sidecars[each.key] : null
  environment                       = try(var.roles[each.key].environment, {})
  log_retention_days                = var.log_retention_days
  kms_key_arn                       = local.kms_key_arn
  tags                              = var.tags

  # ECS refuses a service whose capacity provider is not attached, or whose target group has no listener.
  wait_for = concat(
    local.network_ready,
    aws_ecs_cluster_capacity_providers.this[*].id,
    aws_lb_listener.frontend[*].id,
  )
}

module "temporal_ui" {
  source = "../temporal-ui"
  count  = var.ui.enabled ? 1 : 0

  project_name                  = var.project_name
  region                        = var.region
  image                         = var.images.ui
  cpu                           = var.ui.cpu
  memory                        = var.ui.memory
  replicas                      = var.ui.replicas
  cluster_arn                   = local.cluster.arn
  capacity_provider_name        = local.capacity_provider_names.ui
  placement_constraints         = local.placement_constraints.ui
  vpc_id                        = local.vpc.vpc_id
  subnet_ids                    = local.vpc.private_subnet_ids
  service_connect_namespace_arn = local.cluster.service_connect_namespace_arn
  execution_role_arn            = module.iam.execution_role_arn
  task_role_arn                 = module.iam.temporal_ui_task_role_arn
  cors_origins                  = ["http://localhost:${module.topology.ports.ui.http}"]
  log_retention_days            = var.log_retention_days
  kms_key_arn                   = local.kms_key_arn
  tags                          = var.tags

  # A Service Connect name is seen only by tasks deployed after the service that owns it.
  wait_for = concat(
    local.network_ready,
    aws_ecs_cluster_capacity_providers.this[*].id,
    [module.temporal_service["frontend"].service_arn],
  )
}

module "benchmark" {
  source = "../benchmark"
  count  = var.benchmark.enabled ? 1 : 0

  project_name             = var.project_name
  region                   = var.region
  benchmark_image          = var.images.benchmark
  cpu                      = var.benchmark.cpu
  memory                   = var.benchmark.memory
  worker_cpu               = var.benchmark.worker_cpu
  worker_memory            = var.benchmark.worker_memory
  instance_type            = var.benchmark.instance_type
  max_instances            = var.benchmark.max_instances
  cluster_arn              = local.cluster.arn
  cluster_name             = local.cluster.name
  network_ready            = local.network_ready
  capacity_attached        = aws_ecs_cluster_capacity_providers.this[*].id
  vpc_id                   = local.vpc.vpc_id
  subnet_ids               = local.vpc.private_subnet_ids
  frontend_host            = "temporal-frontend.${local.cluster.private_dns_namespace_name}"
  execution_role_arn       = module.iam.execution_role_arn
  task_role_arn            = module.iam.benchmark_task_role_arn
  sidecar                  = contains(local._collected, "benchmark") ? local.sidecars["benchmark"] : null
  log_retention_days       = var.log_retention_days
  kms_key_arn              = local.kms_key_arn
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}
