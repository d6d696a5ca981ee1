# What each role is: its size, how it is deployed, and its part of DSQL's connects.

locals {
  _role_defaults = { cpu = 512, memory = 1024, replicas = 1 }

  _sizes = {
    for name in local.roles_of_temporal : name => {
      for field, default in local._role_defaults : field => try(coalesce(var.roles[name][field], default), default)
    }
  }

  roles = { for name, size in local._sizes : name => merge(size, module.connection_budget.roles[name]) }
}

module "connection_budget" {
  source = "../connection-budget"

  rate_share = var.connections.rate_share

  roles = {
    for name, size in local._sizes : name => merge(try(var.roles[name], {}), { replicas = size.replicas })
  }
}
