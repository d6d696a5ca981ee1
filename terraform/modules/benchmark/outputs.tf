output "task_definition_arn" {
  description = "Task definition of the generator, which is run once for each benchmark."
  value       = aws_ecs_task_definition.this["benchmark"].arn
}

output "worker_task_definition_arn" {
  description = "Task definition of the workers."
  value       = aws_ecs_task_definition.this["benchmark-worker"].arn
}

output "worker_service_name" {
  description = "ECS service of the workers."
  value       = aws_ecs_service.worker.name
}

output "capacity_provider_name" {
  description = "Capacity provider of the benchmark's own instances; whoever calls this module attaches it to the cluster."
  value       = module.capacity.capacity_provider_name
}

output "asg_name" {
  description = "Auto Scaling group of the benchmark's own instances."
  value       = module.capacity.asg_name
}

output "instance_security_group_id" {
  description = "Security group of the benchmark's own instances."
  value       = module.capacity.instance_security_group_id
}

output "security_group_id" {
  description = "Security group of generator and workers; it has no rules of its own."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "CloudWatch log group of generator and workers."
  value       = aws_cloudwatch_log_group.this.name
}
