variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }

  validation {
    condition     = var.domain_name != null || var.existing_domain != null || length(var.project_name) <= 17
    error_message = "project_name ${var.project_name} is too long for an OpenSearch domain, whose name ${var.project_name}-visibility may have 28 characters: set domain_name."
  }
}

variable "region" {
  description = "Region of the domain."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the security groups."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone. The domain takes as many as it has zones, the first ones: other subnets make another domain."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "subnet_ids names one private subnet at least."
  }
}

variable "domain_name" {
  description = "Name of the domain; null for <project_name>-visibility."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null ? true : can(regex("^[a-z][a-z0-9-]{2,27}$", var.domain_name))
    error_message = "domain_name is 3 to 28 characters: lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "existing_domain" {
  description = "A domain to use instead of making one: endpoint (host alone), arn, and the security group of its interfaces. Its access policy has to let both task roles in; that is its owner's to write."
  type = object({
    endpoint          = string
    arn               = string
    security_group_id = string
  })
  default = null

  validation {
    condition     = var.existing_domain == null ? true : can(regex("^[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z][a-z0-9-]*$", var.existing_domain.endpoint)) && !strcontains(var.existing_domain.endpoint, ".aoss.")
    error_message = "existing_domain.endpoint is a host name alone, such as vpc-x.eu-west-1.es.amazonaws.com: no scheme, no port. OpenSearch Serverless cannot be used: the server signs for the service es only."
  }

  validation {
    condition     = var.existing_domain == null ? true : can(regex("^arn:[^:]+:es:[^:]+:[0-9]{12}:domain/[a-z][a-z0-9-]{2,27}$", var.existing_domain.arn))
    error_message = "existing_domain.arn is the ARN of a domain: arn:aws:es:<region>:<account>:domain/<name>."
  }
}

variable "engine_version" {
  description = "Version of OpenSearch, 2.x or 3.x; the server takes OpenSearch from 1.30.1 on."
  type        = string
  default     = "OpenSearch_2.19"

  validation {
    condition     = can(regex("^OpenSearch_[23][.][0-9]{1,2}$", var.engine_version))
    error_message = "engine_version is OpenSearch_2.x or OpenSearch_3.x, such as OpenSearch_2.19: Temporal's mapping needs OpenSearch 2 at least."
  }
}

variable "instance_type" {
  description = "Instance type of the data nodes. The default, the smallest one, fits development."
  type        = string
  default     = "t3.small.search"

  validation {
    condition     = can(regex("^[a-z0-9]+[.][a-z0-9]+[.]search$", var.instance_type))
    error_message = "instance_type is one of OpenSearch's, which end with .search, such as r7g.large.search."
  }
}

variable "instance_count" {
  description = "Data nodes. More than one are spread over as many zones as there are nodes and subnets, 3 at most."
  type        = number
  default     = 1

  validation {
    condition     = var.instance_count >= 1 && floor(var.instance_count) == var.instance_count
    error_message = "instance_count is a whole number, 1 at least."
  }

  validation {
    condition     = var.instance_count < 1 ? true : var.instance_count % max(1, min(var.instance_count, length(var.subnet_ids), 3)) == 0
    error_message = "instance_count = ${var.instance_count} does not divide over ${max(1, min(var.instance_count, length(var.subnet_ids), 3))} zones, and OpenSearch wants as many nodes in each: take a multiple of it."
  }
}

variable "dedicated_master" {
  description = "Dedicated cluster managers: instance type, and 3 or 5 of them; null for none."
  type = object({
    instance_type = string
    count         = optional(number, 3)
  })
  default = null

  validation {
    condition     = var.dedicated_master == null ? true : contains([3, 5], var.dedicated_master.count) && endswith(var.dedicated_master.instance_type, ".search")
    error_message = "dedicated_master.count is 3 or 5, so that a majority is left when one fails, and dedicated_master.instance_type ends with .search."
  }
}

variable "volume_size" {
  description = "GiB of gp3 per data node."
  type        = number
  default     = 10

  validation {
    condition     = var.volume_size >= 10 && floor(var.volume_size) == var.volume_size
    error_message = "volume_size is a whole number of GiB, 10 at least."
  }
}

variable "visibility_index_name" {
  description = "The visibility index; the schema tool's template matches only names that begin with temporal_visibility_v1."
  type        = string

  validation {
    condition     = can(regex("^temporal_visibility_v1[a-z0-9_-]*$", var.visibility_index_name))
    error_message = "visibility_index_name begins with temporal_visibility_v1 (the template of temporal-elasticsearch-tool gives no other index its mapping) and goes on with lower-case letters, digits, underscores and hyphens, such as temporal_visibility_v1_dev."
  }
}

variable "temporal_task_role_arn" {
  description = "Role of the four Temporal roles, which the domain's policy lets in."
  type        = string
}

variable "setup_task_role_arn" {
  description = "Role of the set-up task, which the domain's policy lets in."
  type        = string
}

variable "operator_principal_arns" {
  description = "Further roles or users that the domain admits: operators who come in by Client VPN sign with one of these."
  type        = list(string)
  default     = []
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the set-up task."
  type        = string
}

variable "admin_tools_image" {
  description = "Image with temporal-elasticsearch-tool, for arm64, with a tag of its own or a digest."
  type        = string

  validation {
    condition     = can(regex("^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+((/|[._-]+)[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64})$", var.admin_tools_image)) && !endswith(var.admin_tools_image, ":latest")
    error_message = "admin_tools_image needs a tag of its own or a digest (NAME:TAG or NAME@sha256:...): what `latest` means changes without any change here."
  }
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
  description = "Key of the domain and of the log groups; null for AWS's own. Another key makes another domain."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, and of the task."
  type        = map(string)
  default     = {}
}
