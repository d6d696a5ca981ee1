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

variable "benchmark_image" {
  description = "Image of generator and workers, with a tag of its own or a digest."
  type        = string

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.benchmark_image)) && !endswith(var.benchmark_image, ":latest")
    error_message = "benchmark_image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "cpu" {
  description = "CPU units of the generator's task; 1024 are a vCPU."
  type        = number
  default     = 2048

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "cpu is one of 256, 512, 1024, 2048, 4096, 8192, 16384 (units; 1024 are a vCPU)."
  }
}

variable "memory" {
  description = "MiB of the generator's task."
  type        = number
  default     = 4096

  validation {
    condition     = var.memory >= var.cpu && var.memory <= var.cpu * 8 && var.memory % 128 == 0
    error_message = "memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "worker_cpu" {
  description = "CPU units of a worker's task."
  type        = number
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.worker_cpu)
    error_message = "worker_cpu is one of 256, 512, 1024, 2048, 4096, 8192, 16384 (units; 1024 are a vCPU)."
  }
}

variable "worker_memory" {
  description = "MiB of a worker's task."
  type        = number
  default     = 2048

  validation {
    condition     = var.worker_memory >= var.worker_cpu && var.worker_memory <= var.worker_cpu * 8 && var.worker_memory % 128 == 0
    error_message = "worker_memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "instance_type" {
  description = "Graviton instance type of the benchmark's own capacity."
  type        = string
  default     = "m7g.xlarge"
}

variable "max_instances" {
  description = "Most instances of the benchmark's own capacity, which begins at none."
  type        = number
  default     = 4

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances is a whole number from 1 to 100: with 0 tasks would wait for capacity for ever."
  }
}

variable "cluster_arn" {
  description = "ECS cluster."
  type        = string
}

variable "cluster_name" {
  description = "Name of the ECS cluster, which instances join."
  type        = string
}

variable "network_ready" {
  description = "Anything that is known only once instances can reach ECS: they wait for it."
  type        = any
  default     = null
}

variable "capacity_attached" {
  description = "Anything that is known only once the capacity provider is attached to the cluster: the services wait for it."
  type        = any
  default     = null
}

variable "vpc_id" {
  description = "VPC of the security groups."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone."
  type        = list(string)
}

variable "frontend_host" {
  description = "Name of the frontend that DNS knows: tasks that no service starts get no Service Connect."
  type        = string
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the tasks."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the containers."
  type        = string
}

variable "sidecar" {
  description = "Outputs of otel-sidecar or alloy-sidecar for the workers; null for neither."
  type        = any
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
  description = "Key of the log group; null for CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role of the instances; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, and of the tasks."
  type        = map(string)
  default     = {}
}
