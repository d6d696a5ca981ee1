variable "project_name" {
  description = "Prefix of every name, such as temporal-dev. Two environments of one account differ in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }

  validation {
    condition     = !can(regex("^(aws|ssm|ecs|fargate|(sg|internal)(-|$))", var.project_name))
    error_message = "project_name begins with a word that AWS keeps for itself in some of the names: not aws, ssm, ecs, fargate, sg- or internal-."
  }
}

variable "environment_name" {
  description = "Name of the environment: selects the dynamic configuration of the servers."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}$", var.environment_name))
    error_message = "environment_name is 1 to 21 characters: lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "AWS region of everything here."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the name of an AWS region, such as eu-west-1."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC, /16 to /20."
  type        = string
  default     = "10.0.0.0/16"
}

variable "availability_zones" {
  description = "Zones, one private subnet in each; 2 to 6."
  type        = list(string)
}

variable "nat" {
  description = "Way to the internet: `one` NAT gateway, one `per_az`, or `none`, which needs every image in ECR."
  type        = string
  default     = "one"
}

variable "interface_endpoints" {
  description = "AWS APIs that are reached privately, by the names of their VPC endpoints; null for a set that fits `nat`."
  type        = list(string)
  default     = null
}

variable "ec2messages_endpoint" {
  description = "An endpoint for ec2messages, which only SSM agents before 3.3.40 use; neither ECS nor ECS Exec does."
  type        = bool
  default     = false
}

variable "trusted_account_ids" {
  description = "Other accounts whose resources may be reached through the VPC endpoints, such as one that keeps images."
  type        = list(string)
  default     = []
}

variable "existing_vpc" {
  description = "A VPC to use instead of making one. endpoint_security_group_ids: interface endpoints by service; gateway_prefix_list_ids: s3 and dynamodb; internet: whether its private subnets reach the internet."
  type = object({
    vpc_id                      = string
    vpc_cidr                    = string
    private_subnet_ids          = list(string)
    internet                    = optional(bool, true)
    endpoint_security_group_ids = optional(map(string), {})
    gateway_prefix_list_ids     = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.existing_vpc == null ? true : length(var.existing_vpc.private_subnet_ids) >= 2
    error_message = "existing_vpc.private_subnet_ids needs two subnets at least, in different zones."
  }
}

variable "existing_ecs_cluster" {
  description = "An ECS cluster to use instead of making one, with a capacity provider that is attached to it and has Graviton instances."
  type = object({
    name                          = string
    arn                           = string
    capacity_provider_name        = string
    service_connect_namespace_arn = string
    private_dns_namespace_id      = string
    private_dns_namespace_name    = string
    exec_log_group_arn            = string
    instance_security_group_id    = optional(string)
  })
  default = null

  validation {
    condition     = var.existing_ecs_cluster == null || !var.benchmark.enabled
    error_message = "the benchmark's capacity provider has to be attached to the cluster, which is left to the owner of an existing one: set benchmark.enabled = false with existing_ecs_cluster."
  }

  validation {
    condition     = var.existing_ecs_cluster == null || var.existing_vpc != null
    error_message = "existing_ecs_cluster needs existing_vpc: tasks can only stand in the VPC of the cluster's instances."
  }
}

variable "container_insights" {
  description = "Container Insights: enabled, enhanced or disabled."
  type        = string
  default     = "enabled"
}

variable "capacity" {
  description = "EC2 instances: type (Graviton), how many at creation, and between which numbers ECS scales them."
  type = object({
    instance_type  = optional(string, "m7g.large")
    instance_count = optional(number, 3)
    min_size       = optional(number, 1)
    max_size       = optional(number, 6)
    volume_size    = optional(number, 50)
    ami_id         = optional(string)
  })
  default = {}
}

variable "placement" {
  description = "spread: over zones, then instances. workload: one group of instances each for history, frontend and worker, whose loss stops what is tied to it."
  type        = string
  default     = "spread"

  validation {
    condition     = contains(["spread", "workload"], var.placement)
    error_message = "placement is spread or workload."
  }

  validation {
    condition     = var.placement == "spread" || var.existing_ecs_cluster == null
    error_message = "placement = \"workload\" needs instances of this module's own: leave existing_ecs_cluster out or set placement = \"spread\"."
  }
}

variable "dsql_cluster_endpoint" {
  description = "Host of an existing DSQL cluster, together with dsql_cluster_arn; null makes a cluster."
  type        = string
  default     = null
}

variable "dsql_cluster_arn" {
  description = "ARN of an existing DSQL cluster."
  type        = string
  default     = null
}

variable "dsql" {
  description = "How DSQL is reached and kept. private_link: its connection endpoint in the VPC instead of its public one; null means only where there is no NAT. vpc_endpoint_service_name: that of an existing cluster, from `aws dsql get-vpc-endpoint-service-name`."
  type = object({
    private_link              = optional(bool)
    vpc_endpoint_service_name = optional(string)
    kms_encryption_key        = optional(string)
    backup = optional(object({
      enabled           = optional(bool, false)
      schedule          = optional(string, "cron(0 3 * * ? *)")
      retention_days    = optional(number, 35)
      vault_kms_key_arn = optional(string)
    }), {})
  })
  default = {}

  validation {
    condition     = !(var.nat == "none" && var.existing_vpc == null && var.dsql.private_link == false)
    error_message = "without NAT the public endpoint of DSQL cannot be reached: leave dsql.private_link out or set it to true."
  }
}

variable "connections" {
  description = "Connections to DSQL. burst and rate are shared out over the most tasks that run at one time; see the README."
  type = object({
    max_conns                      = optional(number, 50)
    rate_share                     = optional(number, 0.7)
    staggered_startup_seconds      = optional(number, 5)
    rate_limiter_enabled           = optional(bool, false)
    reservoir_enabled              = optional(bool, false)
    distributed_conn_lease_enabled = optional(bool, false)
    distributed_conn_limit         = optional(number, 10000)
    reservoir = optional(object({
      target_ready                 = optional(number, 10)
      low_watermark                = optional(number, 5)
      base_lifetime_seconds        = optional(number, 660)
      lifetime_jitter_seconds      = optional(number, 120)
      guard_window_seconds         = optional(number, 45)
      initial_fill_timeout_seconds = optional(number, 30)
    }), {})
  })
  default = {}

  validation {
    condition     = var.connections.rate_share >= 0.01 && var.connections.rate_share <= 1
    error_message = "connections.rate_share is the part of DSQL's 100 connects per second that is given to servers: from 0.01 to 1."
  }
}

variable "roles" {
  description = "Size of history, matching, frontend and worker; what is left out has the default of the role. replicas is what a running cluster has: services are made with none."
  type = map(object({
    cpu                     = optional(number)
    memory                  = optional(number)
    replicas                = optional(number)
    minimum_healthy_percent = optional(number)
    maximum_percent         = optional(number)
    max_conns               = optional(number)
    connection_rate_limit   = optional(number)
    connection_burst_limit  = optional(number)
    environment             = optional(map(string), {})
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.roles), ["history", "matching", "frontend", "worker"])) == 0
    error_message = "the keys of roles are history, matching, frontend and worker."
  }
}

variable "history_shards" {
  description = "numHistoryShards. The first start stores it for ever: a later change is refused."
  type        = number

  validation {
    condition     = contains([for power in range(2, 15) : pow(2, power)], var.history_shards)
    error_message = "history_shards is a power of two from 4 to 16384."
  }
}

variable "log_level" {
  description = "Log level of the servers: debug, info, warn or error."
  type        = string
  default     = "info"
}

variable "temporal_dynamicconfig_tmpfs_size" {
  description = "MiB of the tmpfs into which a server's entrypoint writes the dynamic configuration, 1 to 10."
  type        = number
  default     = 1
}

variable "temporal_image" {
  description = "Runtime image of the four roles, with a tag of its own or a digest."
  type        = string
}

variable "temporal_admin_tools_image" {
  description = "Image with the schema and index tools, with a tag of its own or a digest."
  type        = string
}

variable "images" {
  description = "Images of everything else, with a tag of its own or a digest; without NAT each must be in ECR."
  type = object({
    ui             = optional(string, "temporalio/ui:2.54.1")
    grafana        = optional(string, "grafana/grafana-oss:12.3.0")
    loki           = optional(string, "grafana/loki:3.7.8")
    otel_collector = optional(string, "otel/opentelemetry-collector-contrib:0.155.0")
    alloy          = optional(string, "grafana/alloy:v1.12.2")
    adot           = optional(string, "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3")
    benchmark      = optional(string)
  })
  default = {}
}

variable "opensearch" {
  description = "The visibility store. existing_domain: a domain to use instead of making one."
  type = object({
    domain_name      = optional(string)
    engine_version   = optional(string, "OpenSearch_2.19")
    instance_type    = optional(string, "t3.small.search")
    instance_count   = optional(number, 1)
    volume_size      = optional(number, 10)
    dedicated_master = optional(object({ instance_type = string, count = optional(number, 3) }))
    # Who may sign requests besides servers and set-up task.
    operator_principal_arns = optional(list(string), [])
    existing_domain = optional(object({
      endpoint          = string
      arn               = string
      security_group_id = string
    }))
  })
  default = {}
}

variable "opensearch_visibility_index" {
  description = "The visibility index; the schema tool's template matches only names that begin with temporal_visibility_v1."
  type        = string
}

variable "telemetry" {
  description = "collector: what stands beside each server, otel (an OpenTelemetry collector), alloy (Grafana Alloy) or none. loki_enabled: keep logs in Loki as well as in CloudWatch. adot_enabled: one collector service in place of those beside the servers. existing_prometheus_workspace: an AMP workspace to use instead of making one."
  type = object({
    collector              = optional(string, "otel")
    loki_enabled           = optional(bool, true)
    loki_retention_days    = optional(number, 7)
    adot_enabled           = optional(bool, false)
    grafana_enabled        = optional(bool, true)
    flow_logs_enabled      = optional(bool, true)
    flow_logs_traffic_type = optional(string, "REJECT")
    existing_prometheus_workspace = optional(object({
      arn                 = string
      id                  = string
      prometheus_endpoint = string
    }))
  })
  default = {}

  validation {
    condition     = contains(["otel", "alloy", "none"], var.telemetry.collector)
    error_message = "telemetry.collector is otel, alloy or none."
  }

  validation {
    condition     = !(var.telemetry.adot_enabled && var.telemetry.collector != "none")
    error_message = "with telemetry.adot_enabled and a collector beside each server every sample would be taken twice: set telemetry.collector = \"none\"."
  }

  validation {
    condition     = !(var.telemetry.loki_enabled && var.telemetry.collector == "none")
    error_message = "nothing brings logs to Loki without a collector beside each server: set telemetry.collector, or loki_enabled = false."
  }
}

variable "grafana_admin_secret_name" {
  description = "Secret with Grafana's administrator as JSON (admin_user, admin_password), made beforehand; null means <project_name>/grafana/admin."
  type        = string
  default     = null
}

variable "ui" {
  description = "The Temporal UI."
  type = object({
    enabled  = optional(bool, true)
    cpu      = optional(number, 256)
    memory   = optional(number, 512)
    replicas = optional(number, 1)
  })
  default = {}
}

variable "benchmark" {
  description = "The benchmark: a generator task, worker tasks and instances of their own, none of which run until a benchmark does."
  type = object({
    enabled       = optional(bool, false)
    cpu           = optional(number, 2048)
    memory        = optional(number, 4096)
    worker_cpu    = optional(number, 1024)
    worker_memory = optional(number, 2048)
    instance_type = optional(string, "m7g.xlarge")
    max_instances = optional(number, 4)
  })
  default = {}

  validation {
    condition     = !var.benchmark.enabled || var.images.benchmark != null
    error_message = "benchmark.enabled needs images.benchmark."
  }
}

variable "frontend_load_balancer" {
  description = "An internal Network Load Balancer before the frontend, for applications that do not run in this VPC's client group. certificate_arn makes it speak TLS; allowed_principals makes it a PrivateLink service for those AWS principals. access_logs_bucket gets a line for each TLS connection; AWS logs no others."
  type = object({
    enabled            = optional(bool, false)
    certificate_arn    = optional(string)
    allowed_principals = optional(list(string), [])
    access_logs_bucket = optional(string)
  })
  default = {}

  validation {
    condition     = !contains(var.frontend_load_balancer.allowed_principals, "*")
    error_message = "frontend_load_balancer.allowed_principals names AWS principals: \"*\" would offer the frontend to every AWS account."
  }
}

variable "client_vpn" {
  description = "AWS Client VPN for operators; null for none."
  type = object({
    server_certificate_arn = string
    client_vpn_cidr        = optional(string, "10.100.0.0/22")
    authentication_options = list(object({
      type                       = string
      root_certificate_chain_arn = optional(string)
      active_directory_id        = optional(string)
      saml_provider_arn          = optional(string)
    }))
    authorized_cidrs = optional(list(string))
  })
  default = null
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps logs."
  type        = number
  default     = 7
}

variable "deletion_protection" {
  description = "Refuse to delete what holds data: DSQL cluster and DynamoDB tables; Loki's bucket is then deleted only when it is empty."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key for logs, parameters, tables, bucket and domain; null makes one. Its policy must let CloudWatch Logs use it."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds every role made here; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
