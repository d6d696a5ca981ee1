# Every security group rule of the cluster, made from one table: who dials whom is topology.json's to say.

# For applications in this VPC: whoever wears this group may call the frontend.
resource "aws_security_group" "client" {
  name        = "${var.project_name}-client"
  description = "Clients of the frontend of ${var.project_name}"
  vpc_id      = local.vpc.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-client" })
}

locals {
  # Groups by party; a party that is not there has none.
  _groups = merge(
    { for role, service in module.temporal_service : role => service.security_group_id },
    { client = aws_security_group.client.id },
    { visibility = module.opensearch.security_group_id },
    { opensearch-setup = module.opensearch.setup_security_group_id },
    { for ui in module.temporal_ui : "ui" => ui.security_group_id },
    { for benchmark in module.benchmark : "benchmark" => benchmark.security_group_id },
    { for group in aws_security_group.load_balancer : "load-balancer" => group.id },
    { for vpn in module.client_vpn : "client-vpn" => vpn.security_group_id },
    local._dsql_private_link ? { database = module.dsql.endpoint_security_group_id } : {},
    var.telemetry.grafana_enabled ? { grafana = module.observability.grafana_security_group_id } : {},
    var.telemetry.loki_enabled ? { loki = module.observability.loki_security_group_id } : {},
    var.telemetry.adot_enabled ? { adot = module.observability.adot_security_group_id } : {},
    local._instance_groups,
    { for api, group in local.vpc.endpoint_security_group_ids : "endpoint ${api}" => group },
  )

  # The instances of each capacity provider do the same, so each group of them is a party.
  _instance_groups = merge(
    { for name, group in module.capacity : "instances ${name}" => group.instance_security_group_id },
    { for benchmark in module.benchmark : "instances benchmark" => benchmark.instance_security_group_id },
    try(var.existing_ecs_cluster.instance_security_group_id, null) == null ? {} : {
      "instances existing" = var.existing_ecs_cluster.instance_security_group_id
    },
  )

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
