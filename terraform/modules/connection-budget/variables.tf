variable "roles" {
  description = "By role: replicas, and what is set by hand in place of what is worked out here."
  type = map(object({
    replicas                = number
    minimum_healthy_percent = optional(number)
    maximum_percent         = optional(number)
    connection_rate_limit   = optional(number)
    connection_burst_limit  = optional(number)
  }))

  validation {
    condition     = length(var.roles) == 4 && alltrue([for role in ["history", "matching", "frontend", "worker"] : contains(keys(var.roles), role)])
    error_message = "roles has history, matching, frontend and worker."
  }
}

variable "rate_share" {
  description = "Part of DSQL's quotas that is given to the servers; the rest is left to schema tools, operators and whatever else connects."
  type        = number
  default     = 0.7

  validation {
    condition     = var.rate_share >= 0.01 && var.rate_share <= 1
    error_message = "rate_share is the part of DSQL's 100 connects per second that is given to servers: from 0.01 to 1."
  }
}
