output "domain_endpoint" {
  description = "Host of the domain, without scheme and port."
  value       = local._endpoint
}

output "domain_arn" {
  description = "ARN of the domain."
  value       = local._makes ? local._domain_arn : var.existing_domain.arn
}

output "domain_id" {
  description = "What AWS calls this very domain; another one of the same name has another. Null for a brought one."
  value       = one(aws_opensearch_domain.this[*].domain_id)
}

output "domain_name" {
  description = "Name of the domain."
  value       = local._makes ? local._domain_name : element(split("/", var.existing_domain.arn), 1)
}

output "security_group_id" {
  description = "Security group of the domain's interfaces; the one made here has no rules of its own."
  value       = local._makes ? aws_security_group.this[0].id : var.existing_domain.security_group_id
}

output "setup_task_definition_arn" {
  description = "Task definition of the task that makes the index."
  value       = module.setup.task_definition_arn
}

output "setup_task_family" {
  description = "Family of that task definition."
  value       = module.setup.family
}

output "setup_security_group_id" {
  description = "Security group to start that task with; it has no rules of its own."
  value       = module.setup.security_group_id
}

output "setup_log_group_name" {
  description = "CloudWatch log group of that task."
  value       = module.setup.log_group_name
}

output "visibility_index_name" {
  description = "The visibility index."
  value       = var.visibility_index_name
}
