# One role per kind of task, each with a policy of its own. The node's role is in ec2-capacity.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  _partition = data.aws_partition.current.partition
  _region    = data.aws_region.current.name
  _account   = data.aws_caller_identity.current.account_id
  _here      = "${local._region}:${local._account}"

  _assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      # Nobody else's ECS may be talked into using these roles (the confused deputy).
      Condition = {
        StringEquals = { "aws:SourceAccount" = local._account }
        ArnLike      = { "aws:SourceArn" = "arn:${local._partition}:ecs:${local._here}:*" }
      }
    }]
  })

  # Every role that has a place here: what it may do besides recording its ECS Exec sessions.
  _task_roles = merge(
    {
      temporal-task         = concat(local._dsql, local._opensearch, local._dynamodb, local._metrics_write)
      temporal-ui-task      = []
      opensearch-setup-task = local._opensearch
      schema-setup-task     = local._dsql
      admin-task            = concat(local._dsql, local._administration)
    },
    var.grafana_enabled ? { grafana-task = concat(local._metrics_read, local._cloudwatch_read) } : {},
    var.loki_enabled ? { loki-task = local._loki } : {},
    var.benchmark_enabled ? { benchmark-task = local._metrics_write } : {},
    var.adot_enabled ? { adot-task = concat(local._metrics_write, local._task_discovery) } : {},
  )
}

resource "aws_iam_role" "task" {
  for_each = local._task_roles

  name                 = "${var.project_name}-${each.key}"
  description          = "What the containers of ${var.project_name} ${each.key}s may do."
  assume_role_policy   = local._assume_role_policy
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "task" {
  for_each = local._task_roles

  name = "task"
  role = aws_iam_role.task[each.key].name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local._exec, each.value)
  })
}
