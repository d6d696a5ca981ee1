output "prometheus_workspace_id" {
  description = "Id of the AMP workspace."
  value       = local._workspace.id
}

output "prometheus_workspace_arn" {
  description = "ARN of the AMP workspace."
  value       = local._workspace.arn
}

output "prometheus_remote_write_endpoint" {
  description = "URL to which collectors write metrics."
  value       = local._remote_write_endpoint
}

output "prometheus_query_endpoint" {
  description = "URL of the workspace without the paths of its API, as a data source of Grafana takes it."
  value       = local._query_endpoint
}

output "grafana_admin_secret_arn" {
  description = "Secret with Grafana's administrator; null without Grafana."
  value       = one(data.aws_secretsmanager_secret.grafana_admin[*].arn)
}

output "grafana_service_name" {
  description = "ECS service of Grafana; null without it."
  value       = try(aws_ecs_service.this["grafana"].name, null)
}

output "grafana_task_definition_arn" {
  description = "Newest task definition of Grafana; null without it."
  value       = try(aws_ecs_task_definition.this["grafana"].arn, null)
}

output "grafana_security_group_id" {
  description = "Security group of Grafana, which has no rules of its own; null without it."
  value       = try(aws_security_group.this["grafana"].id, null)
}

output "loki_service_name" {
  description = "ECS service of Loki; null without it."
  value       = try(aws_ecs_service.this["loki"].name, null)
}

output "loki_task_definition_arn" {
  description = "Newest task definition of Loki; null without it."
  value       = try(aws_ecs_task_definition.this["loki"].arn, null)
}

output "loki_security_group_id" {
  description = "Security group of Loki, which has no rules of its own; null without it."
  value       = try(aws_security_group.this["loki"].id, null)
}

output "loki_endpoint" {
  description = "URL of Loki inside the VPC; null without Loki."
  value       = var.loki_enabled ? local._loki_endpoint : null
}

output "loki_s3_bucket_name" {
  description = "Loki's bucket; null without Loki."
  value       = var.loki_enabled ? local._loki_bucket_name : null
}

output "loki_s3_bucket_arn" {
  description = "ARN of Loki's bucket; null without Loki."
  value       = one(aws_s3_bucket.loki[*].arn)
}

output "adot_service_name" {
  description = "ECS service of the ADOT collector; null without it."
  value       = try(aws_ecs_service.this["adot"].name, null)
}

output "adot_task_definition_arn" {
  description = "Newest task definition of the ADOT collector; null without it."
  value       = try(aws_ecs_task_definition.this["adot"].arn, null)
}

output "adot_security_group_id" {
  description = "Security group of the ADOT collector, which has no rules of its own; null without it."
  value       = try(aws_security_group.this["adot"].id, null)
}

output "log_group_names" {
  description = "CloudWatch log groups by what writes to them."
  value = merge(
    { for name, group in aws_cloudwatch_log_group.this : name => group.name },
    { for group in aws_cloudwatch_log_group.prometheus : "prometheus" => group.name },
  )
}
