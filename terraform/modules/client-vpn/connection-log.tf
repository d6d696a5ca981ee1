# Who connected when, from where.

resource "aws_cloudwatch_log_group" "connections" {
  name              = "/ecs/${var.project_name}/client-vpn"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_stream" "connections" {
  name           = "connections"
  log_group_name = aws_cloudwatch_log_group.connections.name
}
