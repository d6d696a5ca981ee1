variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "region" {
  description = "Region of the cluster: part of the name of its host."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the code of an AWS region, such as eu-west-1."
  }
}

variable "endpoint" {
  description = "Host of a cluster that exists already, without scheme and port; null makes a cluster. Goes together with arn."
  type        = string
  default     = null

  validation {
    condition     = var.endpoint == null || can(regex("^[a-z0-9]+[.]dsql(-[a-z0-9]+)?[.][a-z0-9-]+[.]on[.]aws$", var.endpoint))
    error_message = "endpoint is the host name of a DSQL cluster alone, such as abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws: no scheme, no port, no address."
  }

  validation {
    condition     = var.endpoint == null || try(split(".", var.endpoint)[2] == var.region, false)
    error_message = "endpoint is in another region than ${var.region}: name a cluster of this region, or set region to that of the cluster."
  }
}

variable "arn" {
  description = "ARN of the cluster that exists already: roles get their rights by it."
  type        = string
  default     = null

  validation {
    condition     = (var.arn == null) == (var.endpoint == null)
    error_message = "endpoint and arn are given both, for a cluster that exists, or neither, for a new one: write the one that is missing."
  }

  validation {
    condition     = var.arn == null || can(regex("^arn:aws[a-z-]*:dsql:${var.region}:[0-9]{12}:cluster/[a-z0-9]+$", var.arn))
    error_message = "arn is that of a DSQL cluster in ${var.region}, such as arn:aws:dsql:${var.region}:123456789012:cluster/abcdefghijklmnopqrstuvwxyz."
  }

  validation {
    condition     = var.arn == null || var.endpoint == null || try(split("/", var.arn)[1] == split(".", var.endpoint)[0], false)
    error_message = "arn and endpoint name two different clusters: the id after cluster/ is the first part of the host."
  }
}

variable "vpc_endpoint_service_name" {
  description = "Service name of the connection endpoint of a cluster that exists already, as `aws dsql get-vpc-endpoint-service-name` prints it; needed for private_link. A cluster made here tells it by itself."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_endpoint_service_name == null || can(regex("^com[.]amazonaws[.]${var.region}[.]dsql-[a-z0-9]+$", var.vpc_endpoint_service_name))
    error_message = "vpc_endpoint_service_name is that of connections, such as com.amazonaws.${var.region}.dsql-fnh4: com.amazonaws.${var.region}.dsql is the API that manages clusters. Ask `aws dsql get-vpc-endpoint-service-name --identifier ID`."
  }

  validation {
    condition     = !(var.private_link && var.endpoint != null && var.vpc_endpoint_service_name == null)
    error_message = "private_link to a cluster that exists already needs vpc_endpoint_service_name: ask `aws dsql get-vpc-endpoint-service-name --identifier ID`."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster that is made here, by Terraform or otherwise. Says nothing of one that was brought."
  type        = bool
}

variable "kms_encryption_key" {
  description = "Key of the cluster that is made here; null for one that AWS owns. Changing it later encrypts the cluster anew."
  type        = string
  default     = null
}

variable "private_link" {
  description = "Reach the cluster by a connection endpoint in the VPC in place of the public host. Needs vpc_id and subnet_ids."
  type        = bool

  validation {
    condition     = !var.private_link || (var.vpc_id != null && try(length(var.subnet_ids) > 0, false))
    error_message = "private_link needs a place for its endpoint: give vpc_id and subnet_ids."
  }
}

variable "vpc_id" {
  description = "VPC of the connection endpoint."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Subnets of the connection endpoint, one per zone."
  type        = list(string)
  default     = null
}

variable "backup" {
  description = "Copies by AWS Backup: schedule (cron of AWS, in UTC), retention_days, vault_kms_key_arn (null for the AWS-managed key of AWS Backup)."
  type = object({
    enabled           = optional(bool, false)
    schedule          = optional(string, "cron(0 3 * * ? *)")
    retention_days    = optional(number, 35)
    vault_kms_key_arn = optional(string)
  })
  default = {}

  validation {
    condition     = can(regex("^cron[(][^ ?]+ [^ ?]+ ([?] [^ ?]+ [^ ?]+|[^ ?]+ [^ ?]+ [?]) [^ ?]+[)]$", var.backup.schedule))
    error_message = "backup.schedule is a cron expression of AWS: six fields, and a ? for the day of the month or that of the week, such as cron(0 3 * * ? *) for each night at 3 UTC. AWS Backup takes no rate(...)."
  }

  validation {
    condition     = floor(var.backup.retention_days) == var.backup.retention_days && var.backup.retention_days >= 1 && var.backup.retention_days <= 36500
    error_message = "backup.retention_days is a whole number from 1 to 36500."
  }
}

variable "permissions_boundary_arn" {
  description = "Boundary of the role of AWS Backup; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
