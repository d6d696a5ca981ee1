# Where metrics go: an AMP workspace, or one that is brought.

data "aws_caller_identity" "current" {}

module "topology" {
  source = "../topology"
}

locals {
  _makes_workspace = var.existing_prometheus_workspace == null

  _workspace = local._makes_workspace ? {
    id       = aws_prometheus_workspace.this[0].id
    arn      = aws_prometheus_workspace.this[0].arn
    endpoint = aws_prometheus_workspace.this[0].prometheus_endpoint
    } : {
    id       = var.existing_prometheus_workspace.id
    arn      = var.existing_prometheus_workspace.arn
    endpoint = var.existing_prometheus_workspace.prometheus_endpoint
  }

  # With or without a slash at its end, as it was given.
  _query_endpoint        = "${trimsuffix(local._workspace.endpoint, "/")}/"
  _remote_write_endpoint = "${local._query_endpoint}api/v1/remote_write"
}

resource "aws_prometheus_workspace" "this" {
  count = local._makes_workspace ? 1 : 0

  alias       = "${var.project_name}-metrics"
  kms_key_arn = var.kms_key_arn
  tags        = merge(var.tags, { Name = "${var.project_name}-metrics" })

  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.prometheus[0].arn}:*"
  }

  lifecycle {
    # With another key the workspace would be a new one without its metrics: it keeps its first.
    ignore_changes = [kms_key_arn]
  }
}

# What AWS delivers for the workspace: rules that fail, samples that are refused. The resource policy of
# CloudWatch Logs covers all groups under /aws/vendedlogs at once; elsewhere it grows with each until it is full.
resource "aws_cloudwatch_log_group" "prometheus" {
  count = local._makes_workspace ? 1 : 0

  name              = "/aws/vendedlogs/prometheus/${var.project_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
