output "endpoint" {
  description = "Host that servers connect to and sign their tokens for, without port: with private_link the one of the connection endpoint, otherwise the public one."
  value       = var.private_link ? local._private_endpoint : coalesce(var.endpoint, local._public_endpoint)
}

output "public_endpoint" {
  description = "Host of the cluster for those outside the VPC, such as an operator who sets up the schema."
  value       = local._public_endpoint
}

output "arn" {
  description = "ARN of the cluster."
  value       = local._arn
}

output "identifier" {
  description = "Id of the cluster."
  value       = local._identifier
}

output "endpoint_security_group_id" {
  description = "Security group of the connection endpoint, without rules; null without private_link."
  value       = one(aws_security_group.endpoint[*].id)
}

output "vpc_endpoint_id" {
  description = "Connection endpoint; null without private_link."
  value       = one(aws_vpc_endpoint.connection[*].id)
}

output "backup_vault_name" {
  description = "Vault of the copies; null without backup."
  value       = one(aws_backup_vault.this[*].name)
}
