# The collector beside each server: metrics to AMP, logs to Loki where it is on.

locals {
  # Parties with a page of metrics and, where logs go to Loki, a file of them: container name, log group.
  _collected_from = merge(
    { for role in local.roles_of_temporal : role => { service = "temporal-${role}", log_group = "temporal-${role}" } },
    var.benchmark.enabled ? { benchmark = { service = "benchmark-worker", log_group = "benchmark" } } : {},
  )

  _collected = var.telemetry.collector == "none" ? [] : keys(local._collected_from)

  # By party.
  sidecars = merge(module.otel_sidecar, module.alloy_sidecar)
}

module "otel_sidecar" {
  source   = "../otel-sidecar"
  for_each = var.telemetry.collector == "otel" ? local._collected_from : {}

  project_name        = var.project_name
  service_name        = each.value.service
  region              = var.region
  prometheus_endpoint = module.observability.prometheus_remote_write_endpoint
  loki_endpoint       = var.telemetry.loki_enabled ? module.observability.loki_endpoint : null
  metrics_port        = module.topology.metrics_port
  image               = var.images.otel_collector
  log_group_name      = "/ecs/${var.project_name}/${each.value.log_group}"
  kms_key_arn         = local.kms_key_arn
  tags                = var.tags
}

module "alloy_sidecar" {
  source   = "../alloy-sidecar"
  for_each = var.telemetry.collector == "alloy" ? local._collected_from : {}

  project_name        = var.project_name
  service_name        = each.value.service
  region              = var.region
  prometheus_endpoint = module.observability.prometheus_remote_write_endpoint
  loki_endpoint       = var.telemetry.loki_enabled ? module.observability.loki_endpoint : null
  metrics_port        = module.topology.metrics_port
  image               = var.images.alloy
  log_group_name      = "/ecs/${var.project_name}/${each.value.log_group}"
  kms_key_arn         = local.kms_key_arn
  tags                = var.tags
}
