output "service_name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "ARN of the newest task definition."
  value       = aws_ecs_task_definition.this.arn
}

output "container_name" {
  description = "Name of the container, for ECS Exec and port forwarding."
  value       = local._container_name
}

output "port" {
  description = "Port that the UI listens on."
  value       = local._port
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
