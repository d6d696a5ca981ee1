output "table_name" {
  description = "Table of the rate limiter; null when it is off."
  value       = one([for key, table in aws_dynamodb_table.this : table.name if key == "rate_limiter"])
}

output "table_arn" {
  description = "ARN of the table of the rate limiter; null when it is off."
  value       = one([for key, table in aws_dynamodb_table.this : table.arn if key == "rate_limiter"])
}

output "conn_lease_table_name" {
  description = "Table of connection leases; null when they are off."
  value       = one([for key, table in aws_dynamodb_table.this : table.name if key == "conn_lease"])
}

output "conn_lease_table_arn" {
  description = "ARN of the table of connection leases; null when they are off."
  value       = one([for key, table in aws_dynamodb_table.this : table.arn if key == "conn_lease"])
}
