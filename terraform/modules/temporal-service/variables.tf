variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "environment_name" {
  description = "Selects the dynamic configuration that the container's entrypoint writes."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "service_name" {
  description = "The role: history, matching, frontend or worker."
  type        = string

  validation {
    condition     = contains(["history", "matching", "frontend", "worker"], var.service_name)
    error_message = "service_name is history, matching, frontend or worker."
  }
}

variable "image" {
  description = "Runtime image: its entrypoint renders the server's configuration from the environment. With a tag of its own or a digest."
  type        = string

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
}

variable "cpu" {
  description = "CPU units of the task, sidecars and Service Connect proxy included; 1024 are a vCPU."
  type        = number

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "cpu is one of 256, 512, 1024, 2048, 4096, 8192, 16384 (units; 1024 are a vCPU)."
  }
}

variable "memory" {
  description = "MiB of the task, sidecars and Service Connect proxy included."
  type        = number

  validation {
    condition     = var.memory >= var.cpu && var.memory <= var.cpu * 8 && var.memory % 128 == 0
    error_message = "memory is 1 to 8 MiB for each CPU unit, as Graviton instances have it, and a multiple of 128."
  }
}

variable "desired_count" {
  description = "Tasks at creation. 0, because the schema must be there first; ignored afterwards: the verbs up and scale aim at `replicas`."
  type        = number
  default     = 0

  validation {
    condition     = var.desired_count >= 0 && floor(var.desired_count) == var.desired_count
    error_message = "desired_count is a whole number, 0 or more."
  }
}

variable "replicas" {
  description = "Tasks that a running cluster has: what the verbs up and scale aim at, and what connection budgets are made for."
  type        = number

  validation {
    condition     = var.replicas >= 0 && floor(var.replicas) == var.replicas
    error_message = "replicas is a whole number, 0 or more."
  }
}

variable "minimum_healthy_percent" {
  description = "Share of the tasks that a deployment leaves running, rounded up."
  type        = number

  validation {
    condition     = var.minimum_healthy_percent >= 0 && var.minimum_healthy_percent <= 100 && floor(var.minimum_healthy_percent) == var.minimum_healthy_percent
    error_message = "minimum_healthy_percent is a whole number from 0 to 100."
  }
}

variable "maximum_percent" {
  description = "Share of the tasks that may run during a deployment, rounded down."
  type        = number

  validation {
    condition     = var.maximum_percent >= 100 && floor(var.maximum_percent) == var.maximum_percent
    error_message = "maximum_percent is a whole number, 100 at least."
  }

  validation {
    condition = (
      var.replicas == 0
      ? var.maximum_percent > var.minimum_healthy_percent
      : floor(var.replicas * var.maximum_percent / 100) > ceil(var.replicas * var.minimum_healthy_percent / 100)
    )
    error_message = "a deployment could not replace a single task: with replicas = ${var.replicas}, floor(replicas x maximum_percent / 100) must exceed ceil(replicas x minimum_healthy_percent / 100). Raise maximum_percent or lower minimum_healthy_percent."
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
  description = "HTTP namespace in which the frontend is temporal-frontend; used by that role alone."
  type        = string
  default     = null
}

variable "private_dns_enabled" {
  description = "Whether the frontend has an A record per task in private_dns_namespace_id, for tasks that no service starts; used by that role alone."
  type        = bool
  default     = false
}

variable "private_dns_namespace_id" {
  description = "Private DNS namespace of those records."
  type        = string
  default     = null
}

variable "target_group_arns" {
  description = "Target groups of load balancers before this role."
  type        = list(string)
  default     = []
}

variable "wait_for" {
  description = "Anything that is known only once rules are made and the capacity provider is attached; the service waits for it: a depends_on of this module would make its groups wait too, and rules need those first."
  type        = any
  default     = null
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the task."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the containers."
  type        = string
}

variable "dsql_endpoint" {
  description = "Host of the DSQL cluster, without scheme and port: tokens are signed for exactly this text."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z0-9-]*$", var.dsql_endpoint))
    error_message = "dsql_endpoint is a host name alone, such as <id>.dsql.eu-west-1.on.aws: no scheme, no port, no address."
  }
}

variable "max_conns" {
  description = "Connections that a process holds (maxConns and maxIdleConns)."
  type        = number
  default     = 50

  validation {
    condition     = var.max_conns >= 1 && floor(var.max_conns) == var.max_conns
    error_message = "max_conns is a whole number, 1 at least: with 0 the server takes 100."
  }
}

variable "connection_rate_limit" {
  description = "Connects per second of one process. DSQL takes 100 per second from the whole cluster, whatever one pays."
  type        = number

  validation {
    condition     = var.connection_rate_limit >= 1 && floor(var.connection_rate_limit) == var.connection_rate_limit
    error_message = "connection_rate_limit is a whole number, 1 at least: 0 ends the server at its first connect."
  }
}

variable "connection_burst_limit" {
  description = "Connects of one process at once. DSQL takes 1,000 from the whole cluster."
  type        = number

  validation {
    condition     = var.connection_burst_limit >= 1 && floor(var.connection_burst_limit) == var.connection_burst_limit
    error_message = "connection_burst_limit is a whole number, 1 at least: 0 ends the server at its first connect."
  }
}

variable "staggered_startup_seconds" {
  description = "Longest random wait of a process before its first connect, in seconds; 0 for none."
  type        = number
  default     = 5

  validation {
    condition     = var.staggered_startup_seconds >= 0 && var.staggered_startup_seconds <= 60 && floor(var.staggered_startup_seconds) == var.staggered_startup_seconds
    error_message = "staggered_startup_seconds is a whole number from 0 to 60."
  }
}

variable "rate_limiter_enabled" {
  description = "Count the connects of the whole cluster in DynamoDB, in place of the limits of each process."
  type        = bool
  default     = false

  validation {
    condition     = !var.rate_limiter_enabled || var.rate_limiter_table != null
    error_message = "rate_limiter_enabled needs rate_limiter_table: without it the server falls back to the limits of each process and says so only in its log."
  }
}

variable "rate_limiter_table" {
  description = "DynamoDB table of the limiter."
  type        = string
  default     = null
}

variable "rate_limiter_limit" {
  description = "Connects per second of the whole cluster, with rate_limiter_enabled."
  type        = number
  default     = 70

  validation {
    condition     = var.rate_limiter_limit >= 1 && floor(var.rate_limiter_limit) == var.rate_limiter_limit
    error_message = "rate_limiter_limit is a whole number, 1 at least."
  }
}

variable "reservoir_enabled" {
  description = "Keep connections ready that are replaced before DSQL's 60 minutes are over. A process then has 4 reservoirs."
  type        = bool
  default     = false
}

variable "reservoir" {
  description = "The reservoir. target_ready is small beside max_conns because a process keeps 4 x target_ready + max_conns connections. Times are in seconds: the age at which a waiting connection is replaced, what is added to it at random, the rest of life below which none is handed out, and how long a start waits for low_watermark connections."
  type = object({
    target_ready                 = optional(number, 10)
    low_watermark                = optional(number, 5)
    base_lifetime_seconds        = optional(number, 660)
    lifetime_jitter_seconds      = optional(number, 120)
    guard_window_seconds         = optional(number, 45)
    initial_fill_timeout_seconds = optional(number, 30)
  })
  default = {}

  validation {
    condition     = alltrue([for value in values(var.reservoir) : value >= 0 && floor(value) == value])
    error_message = "the fields of reservoir are whole numbers, 0 or more: the server takes anything else for its default and says nothing."
  }

  validation {
    condition     = var.reservoir.target_ready >= 1 && var.reservoir.low_watermark >= 1 && var.reservoir.low_watermark <= var.reservoir.target_ready
    error_message = "reservoir.target_ready and low_watermark are 1 at least, and low_watermark at most target_ready: a higher one raises the target in silence."
  }

  validation {
    condition     = var.reservoir.base_lifetime_seconds >= var.reservoir.guard_window_seconds + 120
    error_message = "reservoir.base_lifetime_seconds exceeds guard_window_seconds by 120 at least: otherwise connections are discarded as soon as they are opened, and the role exits after 91 s."
  }

  validation {
    condition     = var.reservoir.base_lifetime_seconds + var.reservoir.lifetime_jitter_seconds <= 50 * 60
    error_message = "reservoir.base_lifetime_seconds and lifetime_jitter_seconds are 3000 together at most: DSQL closes every session after 3600."
  }

  validation {
    condition     = var.reservoir.initial_fill_timeout_seconds >= 1 && var.reservoir.initial_fill_timeout_seconds <= 60
    error_message = "reservoir.initial_fill_timeout_seconds is 1 to 60: a failing start waits for it three times, and ECS lets a start take 300 s at most."
  }
}

variable "distributed_conn_lease_enabled" {
  description = "Count the open connections of the whole cluster in DynamoDB. A killed task leaves its leases behind for ever, so watch the counter."
  type        = bool
  default     = false

  validation {
    condition     = !var.distributed_conn_lease_enabled || (var.reservoir_enabled && var.conn_lease_table != null)
    error_message = "distributed_conn_lease_enabled needs reservoir_enabled and conn_lease_table: without them the server starts without any limit and says so only in its log."
  }
}

variable "conn_lease_table" {
  description = "DynamoDB table of the leases."
  type        = string
  default     = null
}

variable "distributed_conn_limit" {
  description = "Open connections of the whole cluster; 10,000 is DSQL's quota."
  type        = number
  default     = 10000

  validation {
    condition     = var.distributed_conn_limit >= 1 && floor(var.distributed_conn_limit) == var.distributed_conn_limit
    error_message = "distributed_conn_limit is a whole number, 1 at least: the server takes anything else for 10,000."
  }
}

variable "opensearch_endpoint" {
  description = "Host of the OpenSearch domain, without scheme and port. Every role reads or writes visibility."
  type        = string
}

variable "visibility_index_name" {
  description = "The visibility index; the schema tool's template matches only names that begin with temporal_visibility_v1."
  type        = string

  validation {
    condition     = startswith(var.visibility_index_name, "temporal_visibility_v1")
    error_message = "visibility_index_name begins with temporal_visibility_v1: the template of temporal-elasticsearch-tool gives no other index its mapping."
  }
}

variable "history_shards" {
  description = "numHistoryShards. What the first start stored holds for ever."
  type        = number

  validation {
    condition     = contains([for power in range(2, 15) : pow(2, power)], var.history_shards)
    error_message = "history_shards is a power of two from 4 to 16384."
  }
}

variable "log_level" {
  description = "Log level of the server: debug, info, warn or error."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.log_level)
    error_message = "log_level is debug, info, warn or error."
  }
}

variable "temporal_dynamicconfig_tmpfs_size" {
  description = "MiB of the tmpfs into which the entrypoint writes the dynamic configuration."
  type        = number
  default     = 1

  validation {
    condition     = var.temporal_dynamicconfig_tmpfs_size >= 1 && var.temporal_dynamicconfig_tmpfs_size <= 10 && floor(var.temporal_dynamicconfig_tmpfs_size) == var.temporal_dynamicconfig_tmpfs_size
    error_message = "temporal_dynamicconfig_tmpfs_size is a whole number of MiB from 1 to 10."
  }
}

variable "sidecar" {
  description = "Outputs of otel-sidecar or alloy-sidecar; null for neither. `init_container_definition` may be null."
  type        = any
  default     = null
}

variable "environment" {
  description = "Further environment variables of the server's container; what this module sets is not overridden."
  type        = map(string)
  default     = {}
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
