output "cluster_id" {
  description = "The cluster, as ECS identifies it: its ARN."
  value       = aws_ecs_cluster.this.id
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "cluster_name" {
  description = "Name of the cluster, known before it exists."
  value       = aws_ecs_cluster.this.name
}

output "service_connect_namespace_arn" {
  description = "Namespace of Service Connect, the default of services in the cluster."
  value       = aws_service_discovery_http_namespace.this.arn
}

output "service_connect_namespace_name" {
  description = "Name of the Service Connect namespace."
  value       = aws_service_discovery_http_namespace.this.name
}

output "private_dns_namespace_id" {
  description = "Private DNS namespace."
  value       = aws_service_discovery_private_dns_namespace.this.id
}

output "private_dns_namespace_arn" {
  description = "ARN of the private DNS namespace."
  value       = aws_service_discovery_private_dns_namespace.this.arn
}

output "private_dns_namespace_name" {
  description = "Domain of the private DNS namespace."
  value       = aws_service_discovery_private_dns_namespace.this.name
}

output "ecs_exec_log_group_name" {
  description = "Log group of shell sessions."
  value       = aws_cloudwatch_log_group.ecs_exec.name
}

output "ecs_exec_log_group_arn" {
  description = "ARN of that group: task roles may write to it."
  value       = aws_cloudwatch_log_group.ecs_exec.arn
}
