# What no single variable can refuse: settings that are wrong only together, or only later.

resource "terraform_data" "history_shards" {
  input = var.history_shards

  lifecycle {
    # The state keeps the first value, as the server does.
    ignore_changes = [input]

    postcondition {
      condition     = self.output == var.history_shards
      error_message = "history_shards is ${self.output} since the first apply and cannot become ${var.history_shards}: the database keeps the first value for ever, and a server with another one runs with that. Write ${self.output}, or make a new environment and move workflows there."
    }
  }
}

resource "terraform_data" "kms_key" {
  input = var.kms_key_arn == null ? "made here" : var.kms_key_arn

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = self.output == (var.kms_key_arn == null ? "made here" : var.kms_key_arn)
      error_message = "kms_key_arn cannot change after the first apply, when the key was ${self.output}: what is encrypted with it stays so, and a key that was made here would be deleted under its data. Leave kms_key_arn as it was, or make a new environment."
    }
  }
}

resource "terraform_data" "project_name" {
  input = var.project_name

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = self.output == var.project_name
      error_message = "project_name is ${self.output} since the first apply and cannot become ${var.project_name}: every name has it, so everything would be made anew, what holds data too. Write ${self.output}, or make a new environment."
    }
  }
}

resource "terraform_data" "reachable" {
  input = local.vpc.internet

  lifecycle {
    precondition {
      condition     = local.vpc.internet || length(local._apis_by_internet) == 0
      error_message = "without NAT nothing leads to these AWS APIs: ${join("; ", [for party, apis in local._apis_by_internet : "${party}: ${join(", ", apis)}"])}. Add them to interface_endpoints, or set nat to \"one\"."
    }

    precondition {
      condition     = local.vpc.internet || length(local._public_images) == 0
      error_message = "without NAT images come from ECR only, and these do not: ${join(", ", local._public_images)}. Copy them to ECR and name the copies in images, or set nat to \"one\"."
    }

    precondition {
      condition     = local.vpc.internet || local._dsql_private_link
      error_message = "without a way to the internet the public endpoint of DSQL cannot be reached: set dsql.private_link to true."
    }
  }
}

resource "terraform_data" "connection_budget" {
  input = module.connection_budget.connects_per_second

  lifecycle {
    precondition {
      condition     = var.connections.rate_limiter_enabled || module.connection_budget.connects_per_second <= module.connection_budget.connects_per_second_quota
      error_message = "the servers may make ${module.connection_budget.connects_per_second} connects to DSQL per second, which takes ${module.connection_budget.connects_per_second_quota} and no more: with so many tasks set connections.rate_limiter_enabled = true, or lower the connection_rate_limit of roles."
    }

    precondition {
      condition     = local._connections <= local._connection_limit
      error_message = "the servers may hold ${local._connections} connections to DSQL during a deployment, more than the ${local._connection_limit} that ${var.connections.distributed_conn_lease_enabled ? "connections.distributed_conn_limit allows" : "DSQL takes"}: lower max_conns, reservoir.target_ready or replicas."
    }

    precondition {
      condition     = var.history_shards >= 16 * local.roles.history.max_concurrent_tasks
      error_message = "history_shards = ${var.history_shards} is too few for ${local.roles.history.max_concurrent_tasks} tasks of history: one that owns no shard never becomes healthy, and ECS replaces it for ever. Give 16 for each task at least, before the first apply."
    }
  }
}

locals {
  # Aurora DSQL user guide, quotas: raised on request, and then told by distributed_conn_limit.
  _connection_limit = var.connections.distributed_conn_lease_enabled ? var.connections.distributed_conn_limit : max(10000, var.connections.distributed_conn_limit)

  _connections = sum([
    for service in module.temporal_service : service.max_concurrent_tasks * service.connections_per_task
  ])
}
