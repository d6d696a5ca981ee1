# DSQL's 100 connects per second and 1,000 at once, shared out over the most tasks that run at one time.

locals {
  _role_defaults = {
    history  = { cpu = 512, memory = 1024, replicas = 1, weight = 15, surge = false }
    matching = { cpu = 512, memory = 1024, replicas = 1, weight = 8, surge = true }
    frontend = { cpu = 512, memory = 1024, replicas = 1, weight = 5, surge = true }
    worker   = { cpu = 512, memory = 1024, replicas = 1, weight = 3, surge = false }
  }

  _given = {
    for name, default in local._role_defaults : name => {
      for field in ["cpu", "memory", "replicas"] : field => try(coalesce(var.roles[name][field], default[field]), default[field])
    }
  }

  # A role of one task is replaced by a second; history and worker otherwise go one by one without
  # more tasks than before, so that few shards move at a time and no further connections are opened.
  _deployment = {
    for name, default in local._role_defaults : name => {
      minimum_healthy_percent = (
        local._given[name].replicas <= 1 || default.surge
        ? 100
        : floor(100 * (local._given[name].replicas - 1) / local._given[name].replicas)
      )
      maximum_percent = local._given[name].replicas <= 1 ? 200 : (default.surge ? 150 : 100)
    }
  }

  roles = {
    for name, default in local._role_defaults : name => merge(local._given[name], {
      for field in ["minimum_healthy_percent", "maximum_percent"] :
      field => try(coalesce(var.roles[name][field], local._deployment[name][field]), local._deployment[name][field])
    })
  }

  _max_tasks = {
    for name, role in local.roles : name => max(1, role.replicas, floor(role.replicas * role.maximum_percent / 100))
  }

  _total_weight = sum([for name, default in local._role_defaults : default.weight * local._max_tasks[name]])

  _dsql_connects_per_second = 100
  _dsql_connects_at_once    = 1000

  connection_limits = {
    for name, default in local._role_defaults : name => {
      rate = try(
        coalesce(var.roles[name].connection_rate_limit),
        max(1, floor(local._dsql_connects_per_second * var.connections.rate_share * default.weight / local._total_weight)),
      )
      burst = try(
        coalesce(var.roles[name].connection_burst_limit),
        max(1, floor(local._dsql_connects_at_once * var.connections.rate_share * default.weight / local._total_weight)),
      )
    }
  }

  _connects_per_second = sum([for name, tasks in local._max_tasks : tasks * local.connection_limits[name].rate])
}
