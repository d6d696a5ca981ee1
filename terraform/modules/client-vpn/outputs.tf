output "client_vpn_endpoint_id" {
  description = "The endpoint, by which configurations of clients are fetched."
  value       = aws_ec2_client_vpn_endpoint.this.id
}

output "client_vpn_endpoint_dns_name" {
  description = "Host that clients connect to; a wildcard, so that each puts a random label before it."
  value       = aws_ec2_client_vpn_endpoint.this.dns_name
}

output "security_group_id" {
  description = "Security group of the clients, without rules."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "Log group of connections."
  value       = aws_cloudwatch_log_group.connections.name
}
