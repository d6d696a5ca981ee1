variable "region" {
  description = "Region of repositories, state bucket and ECS setting. Each region that has environments applies this once."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the code of an AWS region, such as eu-west-1."
  }
}

variable "account_id" {
  description = "The account this is meant for: credentials of another one are refused. Null takes whichever the credentials are of."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is 12 digits, or null."
  }
}

variable "prefix" {
  description = "Beginning of the name of the state bucket; unused with state_bucket_name."
  type        = string
  default     = "temporal"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,17}[a-z0-9]$", var.prefix))
    error_message = "prefix is 2 to 19 characters, so that the bucket's name stays within 63: lower-case letters, digits and hyphens, beginning and ending with a letter or digit."
  }
}

variable "state_bucket_name" {
  description = "Name of the state bucket; null for <prefix>-terraform-state-<account>-<region>. Names of buckets are worldwide, so account and region make it ours."
  type        = string
  default     = null

  validation {
    condition = var.state_bucket_name == null || (
      can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket_name)) && !can(regex("[.][.]|^[0-9.]+$", var.state_bucket_name))
    )
    error_message = "state_bucket_name is 3 to 63 characters: lower-case letters, digits, hyphens and single dots, beginning and ending with a letter or digit, and no IP address."
  }
}

variable "image_repositories" {
  description = "Image repositories: the server built from source and its tools, the runtime image that is deployed, Grafana with its plug-ins, the benchmark."
  type        = set(string)
  default = [
    "temporal-dsql",
    "temporal-dsql-admin-tools",
    "temporal-dsql-runtime",
    "temporal-grafana",
    "temporal-benchmark",
  ]

  validation {
    condition     = alltrue([for name in var.image_repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name)) && length(name) >= 2 && length(name) <= 256])
    error_message = "image_repositories has names of 2 to 256 characters: lower-case letters and digits, with single . _ / - between them."
  }
}

variable "service_linked_roles" {
  description = "Services whose role is made here, by service name. The default has the two that a new account lacks when a cluster is made: OpenSearch domains in a VPC are refused without theirs, and ECS makes its own too late for a first capacity provider. Leave out what the account has already; empty in every region but the first."
  type        = set(string)
  default     = ["ecs.amazonaws.com", "opensearchservice.amazonaws.com"]

  validation {
    condition     = alltrue([for name in var.service_linked_roles : can(regex("^[a-z0-9.-]+[.]amazonaws[.]com$", name))])
    error_message = "service_linked_roles has names of services, such as opensearchservice.amazonaws.com."
  }
}

variable "kms_key_arn" {
  description = "Key of images and states; null for the keys that S3 and ECR manage. Not to be changed later: a repository must be empty to get another key."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
