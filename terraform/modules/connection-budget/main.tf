# DSQL's connects per second and at once, shared out over the most tasks that run at one time.

locals {
  # Aurora DSQL user guide, quotas; neither is raised on request.
  _connects_per_second = 100
  _connects_at_once    = 1000

  # How often roles connect beside one another, and whether a deployment starts tasks before it stops others.
  # History and worker go one by one with no more tasks than before: few shards move, no further connections open.
  _kinds = {
    history  = { weight = 15, surge = false }
    matching = { weight = 8, surge = true }
    frontend = { weight = 5, surge = true }
    worker   = { weight = 3, surge = false }
  }

  # A role of one task is replaced by a second.
  _deployments = {
    for name, role in var.roles : name => {
      minimum_healthy_percent = coalesce(
        role.minimum_healthy_percent,
        role.replicas <= 1 || local._kinds[name].surge ? 100 : floor(100 * (role.replicas - 1) / role.replicas),
      )
      maximum_percent = coalesce(
        role.maximum_percent,
        role.replicas <= 1 ? 200 : (local._kinds[name].surge ? 150 : 100),
      )
    }
  }

  _max_tasks = {
    for name, role in var.roles :
    name => max(1, role.replicas, floor(role.replicas * local._deployments[name].maximum_percent / 100))
  }

  _total_weight = sum([for name, tasks in local._max_tasks : tasks * local._kinds[name].weight])

  _limits = {
    for name, role in var.roles : name => {
      rate = coalesce(
        role.connection_rate_limit,
        max(1, floor(local._connects_per_second * var.rate_share * local._kinds[name].weight / local._total_weight)),
      )
      burst = coalesce(
        role.connection_burst_limit,
        max(1, floor(local._connects_at_once * var.rate_share * local._kinds[name].weight / local._total_weight)),
      )
    }
  }
}
