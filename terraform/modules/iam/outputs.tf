output "execution_role_arn" {
  description = "Role by which ECS starts every task but Grafana's."
  value       = aws_iam_role.execution["ecs-execution"].arn
  depends_on  = [aws_iam_role_policy.execution]
}

output "grafana_execution_role_arn" {
  description = "Role by which ECS starts Grafana, the only one that may read its secret; null without Grafana."
  value       = try(aws_iam_role.execution["grafana-execution"].arn, null)
  depends_on  = [aws_iam_role_policy.execution]
}

output "temporal_task_role_arn" {
  description = "Role of history, matching, frontend and worker."
  value       = aws_iam_role.task["temporal-task"].arn
  depends_on  = [aws_iam_role_policy.task]
}

output "temporal_ui_task_role_arn" {
  description = "Role of the UI."
  value       = aws_iam_role.task["temporal-ui-task"].arn
  depends_on  = [aws_iam_role_policy.task]
}

output "opensearch_setup_task_role_arn" {
  description = "Role of the task that makes the visibility index."
  value       = aws_iam_role.task["opensearch-setup-task"].arn
  depends_on  = [aws_iam_role_policy.task]
}

output "schema_setup_task_role_arn" {
  description = "Role of the task that sets up the schema."
  value       = aws_iam_role.task["schema-setup-task"].arn
  depends_on  = [aws_iam_role_policy.task]
}

output "admin_task_role_arn" {
  description = "Role of the task that runs operators' verbs."
  value       = aws_iam_role.task["admin-task"].arn
  depends_on  = [aws_iam_role_policy.task]
}

output "grafana_task_role_arn" {
  description = "Role of Grafana; null without it."
  value       = try(aws_iam_role.task["grafana-task"].arn, null)
  depends_on  = [aws_iam_role_policy.task]
}

output "loki_task_role_arn" {
  description = "Role of Loki; null without it."
  value       = try(aws_iam_role.task["loki-task"].arn, null)
  depends_on  = [aws_iam_role_policy.task]
}

output "benchmark_task_role_arn" {
  description = "Role of the benchmark's generator and workers; null without it."
  value       = try(aws_iam_role.task["benchmark-task"].arn, null)
  depends_on  = [aws_iam_role_policy.task]
}

output "adot_task_role_arn" {
  description = "Role of the ADOT collector service; null without it."
  value       = try(aws_iam_role.task["adot-task"].arn, null)
  depends_on  = [aws_iam_role_policy.task]
}
