variable "project_name" {
  description = "Prefix of every name, and the label `cluster` of every series and log line."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "service_name" {
  description = "The container beside which this stands, such as temporal-history: names the parameter and the label `ecs_service`; without the prefix temporal- it is `service_name` of log lines."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.service_name))
    error_message = "service_name is lower-case letters, digits and hyphens, beginning with a letter, such as temporal-history."
  }
}

variable "region" {
  description = "Region of the workspace, for which requests are signed, and of the log group."
  type        = string
}

variable "prometheus_endpoint" {
  description = "Remote write URL of the AMP workspace."
  type        = string

  validation {
    condition     = can(regex("^https?://[^$]+/api/v1/remote_write$", var.prometheus_endpoint))
    error_message = "prometheus_endpoint is the remote write URL of a workspace: https://aps-workspaces.<region>.amazonaws.com/workspaces/<id>/api/v1/remote_write."
  }
}

variable "loki_endpoint" {
  description = "Base URL of Loki, such as http://loki.temporal-dev.internal:3100; null for metrics only."
  type        = string
  default     = null

  validation {
    condition     = var.loki_endpoint == null ? true : can(regex("^https?://[^/$]+/?$", var.loki_endpoint))
    error_message = "loki_endpoint is a URL without a path, such as http://loki.temporal-dev.internal:3100: the paths of Loki's API are added here."
  }

  validation {
    condition     = var.loki_endpoint != null || var.metrics_port != null
    error_message = "with neither loki_endpoint nor metrics_port Alloy has nothing to do: set one of them, or leave the sidecar out."
  }
}

variable "metrics_port" {
  description = "Port of the metrics page of the container beside it; null for logs only."
  type        = number
  default     = 9090
}

variable "image" {
  description = "Image of Grafana Alloy, with a tag of its own or a digest. It has a shell, by which the init container writes the configuration."
  type        = string
  default     = "grafana/alloy:v1.12.2"

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "cpu" {
  description = "CPU units of the container, a share of the task's; 1024 are a vCPU."
  type        = number
  default     = 64
}

variable "memory" {
  description = "MiB at which the container is killed, a share of the task's, beside 64 of the init container."
  type        = number
  default     = 256

  validation {
    condition     = var.memory >= 128 && floor(var.memory) == var.memory
    error_message = "memory is a whole number of MiB, 128 at least: Alloy itself takes about 100."
  }
}

variable "log_group_name" {
  description = "CloudWatch log group for Alloy's own output; it is made by whoever makes the task."
  type        = string
}

variable "log_directory" {
  description = "Directory of the log file in both containers. The image beside it has it as a VOLUME that its own user may write to: an ECS volume belongs to root otherwise."
  type        = string
  default     = "/var/log/temporal"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.log_directory))
    error_message = "log_directory is an absolute path without a slash at its end, such as /var/log/temporal."
  }
}

variable "kms_key_arn" {
  description = "Key of the parameter; null for the key that AWS keeps for Parameter Store."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the parameter."
  type        = map(string)
  default     = {}
}
