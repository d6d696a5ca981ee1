# The ECS cluster of one Temporal cluster.

resource "aws_ecs_cluster" "this" {
  name = "${var.project_name}-cluster"

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  # What was typed in a shell is kept, whoever opened it.
  configuration {
    execute_command_configuration {
      # No key for the session itself, which is TLS: every task would have to reach KMS before its shell opens.
      logging = "OVERRIDE"

      log_configuration {
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.ecs_exec.name
        cloud_watch_encryption_enabled = var.kms_key_arn != null
      }
    }
  }

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.this.arn
  }

  tags = merge(var.tags, { Name = "${var.project_name}-cluster" })
}

resource "aws_cloudwatch_log_group" "ecs_exec" {
  name              = "/ecs/${var.project_name}/ecs-exec"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
