output "roles" {
  description = "By role: minimum_healthy_percent, maximum_percent, connection_rate_limit, connection_burst_limit, max_concurrent_tasks."
  value = {
    for name, role in var.roles : name => {
      minimum_healthy_percent = local._deployments[name].minimum_healthy_percent
      maximum_percent         = local._deployments[name].maximum_percent
      connection_rate_limit   = local._limits[name].rate
      connection_burst_limit  = local._limits[name].burst
      max_concurrent_tasks    = local._max_tasks[name]
    }
  }
}

output "connects_per_second" {
  description = "Connects per second that all tasks together may make during a deployment."
  value       = sum([for name, tasks in local._max_tasks : tasks * local._limits[name].rate])
}

output "connects_per_second_quota" {
  description = "What DSQL takes."
  value       = local._connects_per_second
}

output "connects_per_second_given" {
  description = "Part of that which is given to the servers: what the limiter lets through."
  value       = local._given_per_second
}
