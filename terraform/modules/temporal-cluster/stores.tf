# What keeps data: DSQL, OpenSearch, DynamoDB.

module "dsql" {
  source = "../dsql"

  project_name              = var.project_name
  region                    = var.region
  endpoint                  = var.dsql_cluster_endpoint
  arn                       = var.dsql_cluster_arn
  vpc_endpoint_service_name = var.dsql.vpc_endpoint_service_name
  deletion_protection       = var.deletion_protection
  kms_encryption_key        = var.dsql.kms_encryption_key
  private_link              = local._dsql_private_link
  vpc_id                    = local.vpc.vpc_id
  subnet_ids                = local.vpc.private_subnet_ids
  backup                    = var.dsql.backup
  permissions_boundary_arn  = var.permissions_boundary_arn
  tags                      = var.tags
}

locals {
  _dsql_private_link = coalesce(var.dsql.private_link, !local.vpc.internet)
}

module "opensearch" {
  source = "../opensearch"

  project_name            = var.project_name
  region                  = var.region
  vpc_id                  = local.vpc.vpc_id
  subnet_ids              = local.vpc.private_subnet_ids
  domain_name             = var.opensearch.domain_name
  existing_domain         = var.opensearch.existing_domain
  engine_version          = var.opensearch.engine_version
  instance_type           = var.opensearch.instance_type
  instance_count          = var.opensearch.instance_count
  dedicated_master        = var.opensearch.dedicated_master
  volume_size             = var.opensearch.volume_size
  visibility_index_name   = var.opensearch_visibility_index
  temporal_task_role_arn  = module.iam.temporal_task_role_arn
  operator_principal_arns = var.opensearch.operator_principal_arns
  setup_task_role_arn     = module.iam.opensearch_setup_task_role_arn
  execution_role_arn      = module.iam.execution_role_arn
  admin_tools_image       = var.temporal_admin_tools_image
  log_retention_days      = var.log_retention_days
  kms_key_arn             = local.kms_key_arn
  tags                    = var.tags
}

module "schema_setup" {
  source = "../one-off-task"

  name         = "schema-setup"
  description  = "Task that sets up the schema of ${var.project_name}"
  project_name = var.project_name
  region       = var.region
  vpc_id       = local.vpc.vpc_id
  image        = var.temporal_admin_tools_image
  # With an endpoint the environment is a name and no more; whoever runs the task gives its own.
  command            = ["schema", "setup", var.project_name]
  environment        = merge(local._dials_dsql, { DSQL_DEPLOY_SCHEMA = "/etc/temporal/schema/dsql/temporal" })
  task_role_arn      = module.iam.schema_setup_task_role_arn
  execution_role_arn = module.iam.execution_role_arn
  log_retention_days = var.log_retention_days
  kms_key_arn        = local.kms_key_arn
  tags               = var.tags
}

# Runs verbs that dial the roles and the database: `dsql-deploy probe`, `membership`, `recover` of an environment.
module "admin_task" {
  source = "../one-off-task"

  name         = "admin-task"
  description  = "Task that operates ${var.project_name} from inside"
  project_name = var.project_name
  region       = var.region
  vpc_id       = local.vpc.vpc_id
  image        = var.temporal_admin_tools_image
  # Whoever runs it gives the verb, and what the outputs say.
  command            = ["--version"]
  environment        = local._dials_dsql
  cpu                = 512
  memory             = 1024
  task_role_arn      = module.iam.admin_task_role_arn
  execution_role_arn = module.iam.execution_role_arn
  log_retention_days = var.log_retention_days
  kms_key_arn        = local.kms_key_arn
  tags               = var.tags
}

locals {
  # The tool makes its token of the task's role; there is no secret to be passed.
  _dials_dsql = { CLUSTER_ENDPOINT = module.dsql.endpoint }
}

module "dynamodb" {
  source = "../dynamodb"

  project_name         = var.project_name
  rate_limiter_enabled = var.connections.rate_limiter_enabled
  conn_lease_enabled   = var.connections.distributed_conn_lease_enabled
  deletion_protection  = var.deletion_protection
  kms_key_arn          = local.kms_key_arn
  tags                 = var.tags
}

module "iam" {
  source = "../iam"

  project_name             = var.project_name
  dsql_cluster_arn         = module.dsql.arn
  opensearch_domain_arn    = module.opensearch.domain_arn
  prometheus_workspace_arn = module.observability.prometheus_workspace_arn
  grafana_enabled          = var.telemetry.grafana_enabled
  grafana_admin_secret_arn = module.observability.grafana_admin_secret_arn
  loki_enabled             = var.telemetry.loki_enabled
  loki_s3_bucket_arn       = module.observability.loki_s3_bucket_arn
  exec_log_group_arn       = local.cluster.exec_log_group_arn
  ecs_cluster_arn          = local.cluster.arn
  adot_enabled             = var.telemetry.adot_enabled
  benchmark_enabled        = var.benchmark.enabled
  kms_key_arn              = local.kms_key_arn
  image_repository_arns    = length(local.ecr_repository_arns) > 0 ? local.ecr_repository_arns : null
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags

  dynamodb_table_arns = concat(
    var.connections.rate_limiter_enabled ? [module.dynamodb.table_arn] : [],
    var.connections.distributed_conn_lease_enabled ? [module.dynamodb.conn_lease_table_arn] : [],
  )
}
