# Every security group rule of the cluster, made from one table: who dials whom is topology.json's to say.

# For applications in this VPC: whoever wears this group may call the frontend.
resource "aws_security_group" "client" {
  name        = "${var.project_name}-client"
  description = "Clients of the frontend of ${var.project_name}"
  vpc_id      = local.vpc.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-client" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

locals {
  # Groups by party; a party that is not there has none. Each reference is to one output of one instance, written
  # out: a reference to a whole module would make every rule wait for its services, and instances need rules first.
  _groups = merge(
    {
      history          = module.temporal_service["history"].security_group_id
      matching         = module.temporal_service["matching"].security_group_id
      frontend         = module.temporal_service["frontend"].security_group_id
      worker           = module.temporal_service["worker"].security_group_id
      client           = aws_security_group.client.id
      visibility       = module.opensearch.security_group_id
      opensearch-setup = module.opensearch.setup_security_group_id
      schema-setup     = module.schema_setup.security_group_id
      admin-task       = module.admin_task.security_group_id
    },
    var.ui.enabled ? { ui = module.temporal_ui[0].security_group_id } : {},
    var.benchmark.enabled ? { benchmark = module.benchmark[0].security_group_id } : {},
    var.frontend_load_balancer.enabled ? { load-balancer = aws_security_group.load_balancer[0].id } : {},
    var.client_vpn == null ? {} : { client-vpn = module.client_vpn[0].security_group_id },
    local._dsql_private_link ? { database = module.dsql.endpoint_security_group_id } : {},
    var.telemetry.grafana_enabled ? { grafana = module.observability.grafana_security_group_id } : {},
    var.telemetry.loki_enabled ? { loki = module.observability.loki_security_group_id } : {},
    var.telemetry.adot_enabled ? { adot = module.observability.adot_security_group_id } : {},
    local._instance_groups,
    { for api, group in local.vpc.endpoint_security_group_ids : "endpoint ${api}" => group },
  )

  # The instances of each capacity provider do the same, so each group of them is a party.
  _instance_groups = merge(
    local._spread_instances ? { "instances main" = module.capacity["main"].instance_security_group_id } : {},
    local._workload_instances ? {
      "instances history"  = module.capacity["history"].instance_security_group_id
      "instances frontend" = module.capacity["frontend"].instance_security_group_id
      "instances worker"   = module.capacity["worker"].instance_security_group_id
    } : {},
    var.benchmark.enabled ? { "instances benchmark" = module.benchmark[0].instance_security_group_id } : {},
    try(var.existing_ecs_cluster.instance_security_group_id, null) == null ? {} : {
      "instances existing" = var.existing_ecs_cluster.instance_security_group_id
    },
  )

  _spread_instances   = var.existing_ecs_cluster == null && var.placement == "spread"
  _workload_instances = var.existing_ecs_cluster == null && var.placement == "workload"

  # Loki is called by those whose collector pushes logs, and by Grafana.
  _calls_loki = concat(["grafana"], var.telemetry.loki_enabled ? local._collected : [])

  _flows = merge(
    {
      for name, flow in module.topology.traffic : name => {
        from = flow.from
        to   = flow.to
        port = module.topology.ports[flow.to][flow.port_name]
      } if flow.to != "loki" || contains(local._calls_loki, flow.from)
    },
    { "client-to-load-balancer-grpc" = { from = "client", to = "load-balancer", port = module.topology.ports.frontend.grpc } },
    local._api_flows,
  )

  # What there is of both ends.
  _present = {
    for name, flow in local._flows : name => flow
    if contains(keys(local._groups), flow.from) && contains(keys(local._groups), flow.to)
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local._present

  security_group_id            = local._groups[each.value.to]
  referenced_security_group_id = local._groups[each.value.from]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.key
  tags                         = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local._present

  security_group_id            = local._groups[each.value.from]
  referenced_security_group_id = local._groups[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.key
  tags                         = merge(var.tags, { Name = each.key })
}

locals {
  # What has to be there before anything starts, and go after everything has stopped: an instance without a way to
  # ECS never joins, and a task that loses its way to DSQL, Loki or ECS does not stop in good order.
  network_ready = concat(
    values(aws_vpc_security_group_ingress_rule.this)[*].id,
    values(aws_vpc_security_group_egress_rule.this)[*].id,
    values(aws_vpc_security_group_egress_rule.gateway)[*].id,
    values(aws_vpc_security_group_egress_rule.internet)[*].id,
    values(aws_vpc_security_group_egress_rule.dsql)[*].id,
    flatten(module.vpc[*].ways_out),
    [module.dsql.vpc_endpoint_id],
  )
}
