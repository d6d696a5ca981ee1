# The way of each party to the AWS APIs that it calls: an endpoint, a gateway, or the internet.

locals {
  _metrics_parties = concat(local._collected, ["grafana", "adot"])

  _counts_connections = var.connections.rate_limiter_enabled || var.connections.distributed_conn_lease_enabled

  # By party: what it really calls with the settings given.
  _apis = {
    for party, apis in module.topology.apis : party => [
      for api in apis : api
      if(api != "dynamodb" || local._counts_connections) && (api != "aps-workspaces" || contains(local._metrics_parties, party))
    ]
  }

  # Each group of instances calls what instances call.
  _apis_of = merge(
    { for party, apis in local._apis : party => apis if party != "instances" && contains(keys(local._groups), party) },
    { for party in keys(local._instance_groups) : party => concat(
      local._apis.instances,
      var.ec2messages_endpoint ? ["ec2messages"] : [],
    ) },
  )

  _by_endpoint = keys(local.vpc.endpoint_security_group_ids)
  _by_gateway  = keys(local.vpc.gateway_prefix_list_ids)

  _api_flows = merge([
    for party, apis in local._apis_of : {
      for api in apis : "${party}-to-${api}" => { from = party, to = "endpoint ${api}", port = local._https }
      if contains(local._by_endpoint, api)
    }
  ]...)

  _gateway_flows = merge([
    for party, apis in local._apis_of : {
      for api in apis : "${party}-to-${api}" => { from = party, api = api }
      if contains(local._by_gateway, api)
    }
  ]...)

  # APIs of a party that neither an endpoint nor a gateway serves.
  _apis_by_internet = {
    for party, apis in local._apis_of : party => setsubtract(apis, concat(local._by_endpoint, local._by_gateway))
    if length(setsubtract(apis, concat(local._by_endpoint, local._by_gateway))) > 0
  }

  _images = compact(concat(
    [var.temporal_image, var.temporal_admin_tools_image],
    var.ui.enabled ? [var.images.ui] : [],
    var.telemetry.collector == "otel" ? [var.images.otel_collector] : [],
    var.telemetry.collector == "alloy" ? [var.images.alloy] : [],
    # Loki's image has no shell: Grafana's writes its configuration file.
    var.telemetry.grafana_enabled || var.telemetry.loki_enabled ? [var.images.grafana] : [],
    var.telemetry.loki_enabled ? [var.images.loki] : [],
    var.telemetry.adot_enabled ? [var.images.adot] : [],
    var.benchmark.enabled ? [var.images.benchmark] : [],
  ))

  # Account, region and repository of each image in ECR.
  _ecr_images = {
    for image in local._images : image => regex("^([0-9]{12})[.]dkr[.]ecr[.]([a-z0-9-]+)[.][a-z.]+/([^:@]+)", image)
    if can(regex("^[0-9]{12}[.]dkr[.]ecr[.]", image))
  }

  ecr_repository_arns = distinct([
    for image in values(local._ecr_images) :
    "arn:${data.aws_partition.current.partition}:ecr:${image[1]}:${image[0]}:repository/${image[2]}"
  ])

  # The endpoints lead to ECR in this region alone.
  _public_images = [for image in local._images : image if try(local._ecr_images[image][1], "") != var.region]

  # Instances pull images from registries that have no endpoint; the set-up tasks, on Fargate, pull their own.
  _internet_parties = !local.vpc.internet ? [] : distinct(concat(
    keys(local._apis_by_internet),
    length(local._public_images) > 0 ? keys(local._instance_groups) : [],
    contains(local._public_images, var.temporal_admin_tools_image) ? ["opensearch-setup", "schema-setup", "admin-task"] : [],
  ))

  _https = module.topology.ports.visibility.https
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each = local._gateway_flows

  security_group_id = local._groups[each.value.from]
  prefix_list_id    = local.vpc.gateway_prefix_list_ids[each.value.api]
  ip_protocol       = "tcp"
  from_port         = local._https
  to_port           = local._https
  description       = each.key
  tags              = merge(var.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = toset(local._internet_parties)

  security_group_id = local._groups[each.key]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = local._https
  to_port           = local._https
  description       = "${each.key}-to-internet: ${join(" ", try(local._apis_by_internet[each.key], ["images"]))}"
  tags              = merge(var.tags, { Name = "${each.key}-to-internet" })
}

# The public endpoint of DSQL has no addresses of its own to name.
resource "aws_vpc_security_group_egress_rule" "dsql" {
  for_each = local._dsql_private_link ? [] : toset(concat(local.roles_of_temporal, ["schema-setup", "admin-task"]))

  security_group_id = local._groups[each.key]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = module.topology.ports.database.postgresql
  to_port           = module.topology.ports.database.postgresql
  description       = "${each.key}-to-database-postgresql"
  tags              = merge(var.tags, { Name = "${each.key}-to-database-postgresql" })
}
