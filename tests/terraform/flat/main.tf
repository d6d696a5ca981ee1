# The flat layout in small: one root, one state, the names and settings that its documents have.
# It is what `terraform/migration/from-flat` is tested on; nobody deploys it.

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = var.project_name }
  }
}

data "aws_caller_identity" "current" {}

data "aws_secretsmanager_secret" "grafana_admin" {
  name = "grafana/admin"
}

variable "project_name" {
  description = "Prefix of every name."
  type        = string
  default     = "temporal-dev"
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"
}

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.0.0.0/16"
}

variable "availability_zones" {
  description = "Zones, a private subnet in each."
  type        = list(string)
  default     = ["eu-west-1a", "eu-west-1b"]
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps logs."
  type        = number
  default     = 7
}

variable "opensearch_visibility_index" {
  description = "The visibility index."
  type        = string
  default     = "temporal_visibility_v1_dev"
}

variable "temporal_history_shards" {
  description = "numHistoryShards."
  type        = number
  default     = 4096
}

locals {
  dsql_endpoint = "abcdefghijklmnopqrstuvwxyz.dsql.${var.region}.on.aws"
  dsql_arn      = "arn:aws:dsql:${var.region}:${data.aws_caller_identity.current.account_id}:cluster/abcdefghijklmnopqrstuvwxyz"
  image         = "${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.region}.amazonaws.com/temporal-dsql-runtime:latest"
}

output "opensearch_endpoint" {
  description = "OpenSearch domain endpoint."
  value       = aws_opensearch_domain.temporal.endpoint
}
