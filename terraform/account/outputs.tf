output "region" {
  description = "Region of what is here."
  value       = var.region
}

output "aws_account_id" {
  description = "Account of what is here."
  value       = data.aws_caller_identity.current.account_id
}

output "repository_urls" {
  description = "By repository: what images are named after when they are pushed."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "state_bucket" {
  description = "Bucket of Terraform states."
  value       = aws_s3_bucket.state.bucket
}

output "backend_config" {
  description = "Text of backend.hcl, for the environments of this region and for this configuration itself."
  value       = <<-EOT
    bucket = "${aws_s3_bucket.state.bucket}"
    region = "${var.region}"
  EOT
}
