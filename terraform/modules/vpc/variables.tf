variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "region" {
  description = "Region of the VPC: part of the names of endpoint services."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the code of an AWS region, such as eu-west-1."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC. A private subnet takes a sixteenth: 4,096 addresses of a /16, 256 of a /20, one for each task, instance and endpoint."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition = (
      can(regex("^[0-9.]+/(1[6-9]|20)$", var.vpc_cidr)) &&
      try(cidrhost(var.vpc_cidr, 0) == split("/", var.vpc_cidr)[0], false)
    )
    error_message = "vpc_cidr is an IPv4 network of /16 to /20, written with its first address, such as 10.0.0.0/16: a larger one AWS refuses, a smaller one leaves too few addresses for tasks."
  }

  validation {
    condition     = !can(regex("^(0|127|169[.]254|22[4-9]|2[345][0-9])[.]", var.vpc_cidr))
    error_message = "vpc_cidr is in a range that no VPC can have (this host, loopback, link-local, multicast or reserved): take a private one, such as 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "Zones, one private subnet each. The first holds the NAT gateway when there is one only. Further zones go to the end: the order decides the addresses of the subnets."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 6
    error_message = "availability_zones lists 2 to 6 zones: with one, the loss of a zone is the loss of the cluster."
  }

  validation {
    condition     = length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones names a zone twice: write each once."
  }

  validation {
    condition     = alltrue([for zone in var.availability_zones : can(regex("^${var.region}[a-z]$", zone))])
    error_message = "availability_zones has a zone that is not of region ${var.region}: write zones such as ${var.region}a."
  }
}

variable "nat" {
  description = "Ways out to the internet: none (all APIs by endpoints, all images from ECR), one (a gateway in the first zone, with which the others lose their way out), per_az (one in each zone). The default is what one environment needs for images of public registries; production takes per_az or none."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["none", "one", "per_az"], var.nat)
    error_message = "nat is none, one or per_az."
  }
}

variable "interface_endpoints" {
  description = "AWS APIs that have an interface endpoint, each billed by the hour and zone; null for those that `nat` makes necessary or worth it."
  type        = list(string)
  default     = null

  validation {
    condition = alltrue([
      for service in coalesce(var.interface_endpoints, []) : contains(keys(local._endpoint_services), service)
    ])
    error_message = "interface_endpoints names a service that nothing here calls: choose from ${join(", ", keys(local._endpoint_services))}. S3 and DynamoDB have gateway endpoints always; DSQL has its own, made by module dsql."
  }
}

variable "ec2messages_endpoint" {
  description = "Add the endpoint ec2messages. Session Manager and ECS Exec do without; only SSM agents before 3.3.40.0 need it, and no current image has one."
  type        = bool
  default     = false
}

variable "trusted_account_ids" {
  description = "Further accounts whose resources may be reached through endpoints, such as one that holds the images."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.trusted_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "trusted_account_ids lists account ids of 12 digits."
  }
}

variable "flow_logs" {
  description = "Flow logs in CloudWatch: traffic_type REJECT, ACCEPT or ALL, retention_days. REJECT is what a closed path shows in; ALL is billed for every connection."
  type = object({
    enabled        = optional(bool, true)
    traffic_type   = optional(string, "REJECT")
    retention_days = optional(number, 7)
  })
  default = {}

  validation {
    condition     = contains(["REJECT", "ACCEPT", "ALL"], var.flow_logs.traffic_type)
    error_message = "flow_logs.traffic_type is REJECT, ACCEPT or ALL."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_logs.retention_days)
    error_message = "flow_logs.retention_days is one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "kms_key_arn" {
  description = "Key of the flow logs' group, whose policy must let CloudWatch Logs use it; null for CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Boundary of the role of the flow logs; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
