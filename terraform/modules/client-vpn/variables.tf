variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "vpc_id" {
  description = "VPC that clients reach."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of that VPC."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 2)) && !strcontains(var.vpc_cidr, ":")
    error_message = "vpc_cidr is the IPv4 network of the VPC, such as 10.0.0.0/16."
  }
}

variable "subnet_ids" {
  description = "Subnets with which the endpoint is associated, each in another zone. Each is billed by the hour; a second one keeps the VPN alive without a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids is empty: an endpoint without a subnet lets nobody in. Name one at least."
  }
}

variable "client_vpn_cidr" {
  description = "Addresses of clients; AWS uses half of them. Cannot be changed later without a new endpoint, and may overlap neither the VPC nor an operator's own network."
  type        = string
  default     = "10.100.0.0/22"

  validation {
    condition = (
      can(regex("^[0-9.]+/(1[2-9]|2[0-2])$", var.client_vpn_cidr)) &&
      try(cidrhost(var.client_vpn_cidr, 0) == split("/", var.client_vpn_cidr)[0], false)
    )
    error_message = "client_vpn_cidr is an IPv4 network of /12 to /22, written with its first address, such as 10.100.0.0/22: AWS takes no other size."
  }

  # Two networks overlap exactly when they are the same one under the shorter of their prefixes.
  validation {
    condition = try(
      cidrsubnet("${split("/", var.client_vpn_cidr)[0]}/${min(split("/", var.client_vpn_cidr)[1], split("/", var.vpc_cidr)[1])}", 0, 0) !=
      cidrsubnet("${split("/", var.vpc_cidr)[0]}/${min(split("/", var.client_vpn_cidr)[1], split("/", var.vpc_cidr)[1])}", 0, 0),
      true
    )
    error_message = "client_vpn_cidr overlaps vpc_cidr (${var.vpc_cidr}): choose a network outside it, such as 10.100.0.0/22."
  }
}

variable "server_certificate_arn" {
  description = "ACM certificate by which the endpoint shows clients who it is, in the region of the endpoint."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.server_certificate_arn))
    error_message = "server_certificate_arn is the ARN of a certificate in ACM, such as arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef: import one first."
  }
}

variable "authentication_options" {
  description = "How clients show who they are: certificate-authentication with root_certificate_chain_arn (ACM), directory-service-authentication with active_directory_id, federated-authentication with saml_provider_arn; certificates may be asked besides one of the others."
  type = list(object({
    type                       = string
    root_certificate_chain_arn = optional(string)
    active_directory_id        = optional(string)
    saml_provider_arn          = optional(string)
  }))

  validation {
    condition = alltrue([
      for option in var.authentication_options :
      contains(["certificate-authentication", "directory-service-authentication", "federated-authentication"], option.type)
    ])
    error_message = "authentication_options has a type that is none: write certificate-authentication, directory-service-authentication or federated-authentication."
  }

  validation {
    condition = alltrue([
      for option in var.authentication_options : (
        (option.root_certificate_chain_arn != null) == (option.type == "certificate-authentication") &&
        (option.active_directory_id != null) == (option.type == "directory-service-authentication") &&
        (option.saml_provider_arn != null) == (option.type == "federated-authentication")
      )
    ])
    error_message = "authentication_options needs, and takes, one field for each type: root_certificate_chain_arn for certificate-authentication, active_directory_id for directory-service-authentication, saml_provider_arn for federated-authentication."
  }

  validation {
    condition = (
      contains([1, 2], length(var.authentication_options)) &&
      length(distinct([for option in var.authentication_options : option.type])) == length(var.authentication_options) &&
      (length(var.authentication_options) == 1 || contains([for option in var.authentication_options : option.type], "certificate-authentication"))
    )
    error_message = "authentication_options has one way, or certificate-authentication and one of the others: AWS combines no further."
  }
}

variable "authorized_cidrs" {
  description = "Networks within the VPC that clients may reach; null for the whole VPC. Security groups then say which ports."
  type        = list(string)
  default     = null

  # Within: not a shorter prefix, and the same network under the VPC's.
  validation {
    condition = alltrue([
      for cidr in coalesce(var.authorized_cidrs, []) : try(
        cidrhost(cidr, 0) == split("/", cidr)[0] &&
        tonumber(split("/", cidr)[1]) >= tonumber(split("/", var.vpc_cidr)[1]) &&
        cidrsubnet("${split("/", cidr)[0]}/${split("/", var.vpc_cidr)[1]}", 0, 0) == cidrsubnet(var.vpc_cidr, 0, 0),
        false
      )
    ])
    error_message = "authorized_cidrs has a network that is not within the VPC (${var.vpc_cidr}): the endpoint has no route to another one, and 0.0.0.0/0 or ::/0 would admit clients to whatever gets one. Write networks within the VPC, each with its first address."
  }
}

variable "session_timeout_hours" {
  description = "Hours after which a client must show again who it is: a working day."
  type        = number
  default     = 8

  validation {
    condition     = contains([8, 10, 12, 24], var.session_timeout_hours)
    error_message = "session_timeout_hours is 8, 10, 12 or 24."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps the log of connections."
  type        = number
  default     = 7

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "kms_key_arn" {
  description = "Key of the log group, whose policy must let CloudWatch Logs use it; null for CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
