output "service_name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.this.name
}

output "service_arn" {
  description = "ARN of the ECS service."
  value       = aws_ecs_service.this.id
}

output "task_definition_arn" {
  description = "ARN of the newest task definition."
  value       = aws_ecs_task_definition.this.arn
}

output "container_name" {
  description = "Name of the server's container, for ECS Exec."
  value       = local._container_name
}

output "security_group_id" {
  description = "Security group of the tasks; it has no rules of its own."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "CloudWatch log group of the tasks."
  value       = aws_cloudwatch_log_group.this.name
}

output "replicas" {
  description = "Tasks that a running cluster has."
  value       = var.replicas
}

output "max_concurrent_tasks" {
  description = "Most tasks that run at one time, which is during a deployment."
  value       = max(var.replicas, floor(var.replicas * var.maximum_percent / 100))
}

output "connections_per_task" {
  description = "Connections to DSQL that a task keeps: 4 reservoirs and what it holds, or twice what it holds while it starts."
  value       = var.reservoir_enabled ? 4 * var.reservoir.target_ready + var.max_conns : 2 * var.max_conns
}
