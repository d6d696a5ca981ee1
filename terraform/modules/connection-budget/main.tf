# DSQL's connects per second and at once, shared out over the most tasks that run at one time.

locals {
  # Aurora DSQL user guide, quotas; neither is raised on request.
  _connects_per_second = 100
  _connects_at_once    = 1000

  # Whole ones; without the last summand 100 x 0.29 would be 28.
  _given_per_second = floor(local._connects_per_second * var.rate_share + 0.000001)
  _given_at_once    = floor(local._connects_at_once * var.rate_share + 0.000001)

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

  # One is the least a server takes. In so large a cluster that the lightest roles would get less, they
  # get one, and the others share what is left: otherwise all together would get more than there is.
  _by_weight = ["worker", "frontend", "matching", "history"]

  _attempts = {
    for kind, given in { rate = local._given_per_second, burst = local._given_at_once } : kind => [
      for ones in range(length(local._by_weight)) : {
        for index, name in local._by_weight : name => index < ones ? 1 : floor(
          (given - sum(concat([0], [for lighter in slice(local._by_weight, 0, ones) : local._max_tasks[lighter]]))) *
          local._kinds[name].weight /
          sum([for heavier in slice(local._by_weight, ones, 4) : local._max_tasks[heavier] * local._kinds[heavier].weight])
        )
      }
    ]
  }

  # The first that leaves nobody without; more tasks than there are connects get one each.
  _shared = {
    for kind, attempts in local._attempts : kind => concat(
      [for attempt in attempts : attempt if min(values(attempt)...) >= 1],
      [{ for name in local._by_weight : name => 1 }],
    )[0]
  }

  _limits = {
    for name, role in var.roles : name => {
      rate  = coalesce(role.connection_rate_limit, local._shared.rate[name])
      burst = coalesce(role.connection_burst_limit, local._shared.burst[name])
    }
  }
}
