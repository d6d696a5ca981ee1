# EC2 instances, and which of them a service's tasks are placed on.

locals {
  # The workload placement of the first design: three groups, services tied to one of them each. Grafana moved
  # beside Loki: with it the node of the frontend had more tasks than network interfaces.
  _workload_of = {
    history  = "history"
    matching = "frontend"
    frontend = "frontend"
    ui       = "frontend"
    grafana  = "worker"
    worker   = "worker"
    loki     = "worker"
    adot     = "worker"
  }

  _workloads = distinct(values(local._workload_of))

  _capacity_groups = var.existing_ecs_cluster != null ? {} : (
    var.placement == "spread"
    ? { main = { attributes = {}, share = 1 } }
    : { for workload in local._workloads : workload => { attributes = { workload = workload }, share = length(local._workloads) } }
  )
}

module "capacity" {
  source   = "../ec2-capacity"
  for_each = local._capacity_groups

  project_name             = var.project_name
  name                     = each.key
  cluster_name             = local.cluster.name
  vpc_id                   = local.vpc.vpc_id
  subnet_ids               = local.vpc.private_subnet_ids
  instance_type            = var.capacity.instance_type
  instance_count           = ceil(var.capacity.instance_count / each.value.share)
  min_size                 = ceil(var.capacity.min_size / each.value.share)
  max_size                 = ceil(var.capacity.max_size / each.value.share)
  volume_size              = var.capacity.volume_size
  ami_id                   = var.capacity.ami_id
  instance_attributes      = each.value.attributes
  wait_for                 = local.network_ready
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count = var.existing_ecs_cluster == null ? 1 : 0

  cluster_name = local.cluster.name
  capacity_providers = concat(
    [for group in module.capacity : group.capacity_provider_name],
    # This output by itself: the whole module has a service that waits for this attachment.
    var.benchmark.enabled ? [module.benchmark[0].capacity_provider_name] : [],
  )

  default_capacity_provider_strategy {
    capacity_provider = local.capacity_provider_names[local._default_workload]
    weight            = 1
  }
}

locals {
  _default_workload = var.placement == "spread" ? "ui" : "worker"

  # By component: the provider on which its tasks run.
  capacity_provider_names = {
    for component, workload in local._workload_of : component => (
      var.existing_ecs_cluster != null
      ? var.existing_ecs_cluster.capacity_provider_name
      : module.capacity[var.placement == "spread" ? "main" : workload].capacity_provider_name
    )
  }

  # Grafana, Loki and ADOT get the name of their provider out of the attachment, and so wait for it: ECS refuses a
  # service whose provider is not attached, and a depends_on would put off what their module reads at plan.
  _attached = (
    var.existing_ecs_cluster != null
    ? toset([var.existing_ecs_cluster.capacity_provider_name])
    : aws_ecs_cluster_capacity_providers.this[0].capacity_providers
  )

  placement_constraints = {
    for component, workload in local._workload_of :
    component => var.placement == "spread" ? [] : ["attribute:workload == ${workload}"]
  }
}
