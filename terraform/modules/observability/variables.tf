variable "project_name" {
  description = "Prefix of every name, and the label `cluster` of what the ADOT collector writes."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the security groups."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone."
  type        = list(string)
}

variable "cluster_arn" {
  description = "ECS cluster."
  type        = string
}

variable "cluster_name" {
  description = "Name of that cluster, in which the ADOT collector looks for tasks."
  type        = string
}

variable "capacity_provider_name" {
  description = "Capacity provider that is attached to the cluster."
  type        = string
}

variable "placement_constraints" {
  description = "memberOf expressions; empty spreads over zones and instances without any."
  type        = list(string)
  default     = []
}

variable "private_dns_namespace_id" {
  description = "Private DNS namespace in which Loki has its name."
  type        = string
}

variable "private_dns_namespace_name" {
  description = "Name of that namespace, such as temporal-dev.internal."
  type        = string
}

variable "existing_prometheus_workspace" {
  description = "An AMP workspace to use instead of making one: ARN, id, and prometheus_endpoint, which ends with the id."
  type = object({
    arn                 = string
    id                  = string
    prometheus_endpoint = string
  })
  default = null

  validation {
    condition     = var.existing_prometheus_workspace == null ? true : can(regex("^https://[^/]+/workspaces/[^/]+/?$", var.existing_prometheus_workspace.prometheus_endpoint))
    error_message = "existing_prometheus_workspace.prometheus_endpoint is the workspace's URL without the paths of its API: https://aps-workspaces.<region>.amazonaws.com/workspaces/<id>/."
  }
}

variable "grafana_enabled" {
  description = "Whether there is a Grafana."
  type        = bool
  default     = true
}

variable "grafana_image" {
  description = "Image of Grafana, with a tag of its own or a digest. Below version 13, which takes SigV4 out of the core Prometheus data source by which AMP is read here."
  type        = string
  default     = "grafana/grafana-oss:12.3.0"

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.grafana_image)) && !endswith(var.grafana_image, ":latest")
    error_message = "grafana_image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "grafana_cpu" {
  description = "CPU units of Grafana's task; 1024 are a vCPU."
  type        = number
  default     = 256

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.grafana_cpu)
    error_message = "grafana_cpu is one of 256, 512, 1024, 2048, 4096 (units; 1024 are a vCPU)."
  }
}

variable "grafana_memory" {
  description = "MiB of Grafana's task."
  type        = number
  default     = 512

  validation {
    condition     = var.grafana_memory >= var.grafana_cpu && var.grafana_memory <= var.grafana_cpu * 8 && var.grafana_memory % 128 == 0
    error_message = "grafana_memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "grafana_admin_secret_name" {
  description = "Secret with Grafana's administrator, made beforehand: JSON with admin_user and admin_password. Needed with Grafana. The password never comes into the state."
  type        = string
  default     = null

  validation {
    condition     = !var.grafana_enabled || var.grafana_admin_secret_name != null
    error_message = "grafana_enabled needs grafana_admin_secret_name: make the secret with `dsql-deploy secret setup ENV`, or set grafana_enabled = false."
  }
}

variable "grafana_execution_role_arn" {
  description = "Role by which ECS starts Grafana, the only one that may read its secret."
  type        = string
  default     = null
}

variable "grafana_task_role_arn" {
  description = "Role of Grafana."
  type        = string
  default     = null
}

variable "loki_enabled" {
  description = "Whether there is a Loki."
  type        = bool
  default     = false
}

variable "loki_image" {
  description = "Image of Loki, with a tag of its own or a digest. From 3.7 on it can check its own health, which is used where the tag says so."
  type        = string
  default     = "grafana/loki:3.7.8"

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.loki_image)) && !endswith(var.loki_image, ":latest")
    error_message = "loki_image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "loki_init_image" {
  description = "Image with a shell that writes Loki's configuration into a file; null for grafana_image, which has one."
  type        = string
  default     = null
}

variable "loki_cpu" {
  description = "CPU units of Loki's task; 1024 are a vCPU."
  type        = number
  default     = 512

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.loki_cpu)
    error_message = "loki_cpu is one of 256, 512, 1024, 2048, 4096 (units; 1024 are a vCPU)."
  }
}

variable "loki_memory" {
  description = "MiB of Loki's task."
  type        = number
  default     = 1024

  validation {
    condition     = var.loki_memory >= var.loki_cpu && var.loki_memory <= var.loki_cpu * 8 && var.loki_memory % 128 == 0
    error_message = "loki_memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "loki_retention_days" {
  description = "Days that Loki keeps log lines."
  type        = number
  default     = 7

  validation {
    condition     = var.loki_retention_days >= 1 && floor(var.loki_retention_days) == var.loki_retention_days
    error_message = "loki_retention_days is a whole number of days, 1 at least: Loki's indexes are those of a day."
  }
}

variable "loki_bucket_force_destroy" {
  description = "Delete Loki's bucket although it has log lines in it."
  type        = bool
  default     = false
}

variable "loki_task_role_arn" {
  description = "Role of Loki; needed with it."
  type        = string
  default     = null
}

variable "execution_role_arn" {
  description = "Role by which ECS starts Loki and the ADOT collector."
  type        = string
}

variable "adot" {
  description = "One ADOT collector for the whole cluster, in place of those beside the servers: image with a tag of its own or a digest, CPU units and MiB of its task."
  type = object({
    enabled = optional(bool, false)
    image   = optional(string, "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3")
    cpu     = optional(number, 256)
    memory  = optional(number, 512)
  })
  default = {}

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.adot.image)) && !endswith(var.adot.image, ":latest")
    error_message = "adot.image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "adot_task_role_arn" {
  description = "Role of the ADOT collector; needed with it."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps logs."
  type        = number
  default     = 7

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "kms_key_arn" {
  description = "Key of workspace, bucket, parameters and log groups; null for AWS's own. Another key makes another workspace."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, and of the tasks."
  type        = map(string)
  default     = {}
}
