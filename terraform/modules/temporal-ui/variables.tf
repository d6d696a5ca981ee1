variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "image" {
  description = "Image of the UI server, with a tag of its own or a digest."
  type        = string
  default     = "temporalio/ui:2.54.1"

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "cpu" {
  description = "CPU units of the task, the Service Connect proxy included; 1024 are a vCPU."
  type        = number
  default     = 256

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "cpu is one of 256, 512, 1024, 2048, 4096, 8192, 16384 (units; 1024 are a vCPU)."
  }
}

variable "memory" {
  description = "MiB of the task, the Service Connect proxy included."
  type        = number
  default     = 512

  validation {
    condition     = var.memory >= var.cpu && var.memory <= var.cpu * 8 && var.memory % 128 == 0
    error_message = "memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "desired_count" {
  description = "Tasks at creation. 0, because the frontend must be there first; ignored afterwards: the verbs up and scale aim at `replicas`."
  type        = number
  default     = 0

  validation {
    condition     = var.desired_count >= 0 && floor(var.desired_count) == var.desired_count
    error_message = "desired_count is a whole number, 0 or more."
  }
}

variable "replicas" {
  description = "Tasks that a running cluster has."
  type        = number
  default     = 1

  validation {
    condition     = var.replicas >= 0 && floor(var.replicas) == var.replicas
    error_message = "replicas is a whole number, 0 or more."
  }
}

variable "cluster_arn" {
  description = "ECS cluster."
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

variable "vpc_id" {
  description = "VPC of the security group."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone."
  type        = list(string)
}

variable "service_connect_namespace_arn" {
  description = "HTTP namespace in which the frontend is temporal-frontend."
  type        = string
}

variable "wait_for" {
  description = "Anything that is known only once rules are made, the capacity provider is attached and the frontend's service is there; the service waits for it: a depends_on of this module would make its groups wait too, and rules need those first."
  type        = any
  default     = null
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the task."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the container."
  type        = string
}

variable "cors_origins" {
  description = "Origins from which a browser may call the UI: where port forwarding brings it."
  type        = list(string)
  default     = ["http://localhost:8080"]
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
  description = "Key of the log group; null for CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, and of the tasks."
  type        = map(string)
  default     = {}
}
