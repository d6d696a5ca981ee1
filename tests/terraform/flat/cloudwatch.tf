# Log groups.

resource "aws_cloudwatch_log_group" "temporal_history" {
  name              = "/ecs/${var.project_name}/temporal-history"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "temporal_matching" {
  name              = "/ecs/${var.project_name}/temporal-matching"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "temporal_frontend" {
  name              = "/ecs/${var.project_name}/temporal-frontend"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "temporal_worker" {
  name              = "/ecs/${var.project_name}/temporal-worker"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "temporal_ui" {
  name              = "/ecs/${var.project_name}/temporal-ui"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "grafana" {
  name              = "/ecs/${var.project_name}/grafana"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "adot" {
  name              = "/ecs/${var.project_name}/adot"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "opensearch_setup" {
  name              = "/ecs/${var.project_name}/opensearch-setup"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "ecs_exec" {
  name              = "/ecs/${var.project_name}/ecs-exec"
  retention_in_days = var.log_retention_days
}
