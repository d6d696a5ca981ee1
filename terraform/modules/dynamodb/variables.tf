variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "rate_limiter_enabled" {
  description = "Make the table in which connects per second are counted: DSQL takes 100 per second from the whole cluster, which no process can count by itself."
  type        = bool
  default     = true
}

variable "conn_lease_enabled" {
  description = "Make the table in which open connections are counted. Off by default: the counter goes down only when a process says goodbye, so a crash leaves its leases behind."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Refuse to delete the tables. Off by default: they hold counters, which a running cluster writes anew."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of the tables; null for the AWS-managed key of DynamoDB. Task roles need kms:Decrypt on it."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
