variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "dsql_cluster_arn" {
  description = "The DSQL cluster that the roles connect to."
  type        = string
}

variable "opensearch_domain_arn" {
  description = "The OpenSearch domain that holds visibility."
  type        = string
}

variable "prometheus_workspace_arn" {
  description = "The AMP workspace that collectors write to and Grafana reads."
  type        = string
}

variable "grafana_enabled" {
  description = "Whether there is a Grafana."
  type        = bool
  default     = true
}

variable "grafana_admin_secret_arn" {
  description = "Secret of Grafana's administrator; needed with Grafana."
  type        = string
  default     = null
}

variable "dynamodb_table_arns" {
  description = "Tables of the connection limiter and of the leases; empty where neither is on."
  type        = list(string)
  default     = []
}

variable "loki_enabled" {
  description = "Whether there is a Loki."
  type        = bool
  default     = false
}

variable "loki_s3_bucket_arn" {
  description = "Loki's bucket; needed with Loki."
  type        = string
  default     = null
}

variable "exec_log_group_arn" {
  description = "Log group in which ECS Exec records sessions."
  type        = string
}

variable "image_repository_arns" {
  description = "ECR repositories that may be pulled; the default is every repository of this account and region, because an image is named by its user."
  type        = list(string)
  default     = null
}

variable "kms_key_arn" {
  description = "Key of parameters, secret, tables and bucket; null where they use AWS's own."
  type        = string
  default     = null
}

variable "adot_enabled" {
  description = "Whether there is an ADOT collector service, which must list tasks."
  type        = bool
  default     = false
}

variable "ecs_cluster_arn" {
  description = "The ECS cluster whose tasks the ADOT collector lists."
  type        = string
}

variable "benchmark_enabled" {
  description = "Whether there is a benchmark."
  type        = bool
  default     = false
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds every role made here; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every role."
  type        = map(string)
  default     = {}
}
