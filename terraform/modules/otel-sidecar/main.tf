# An OpenTelemetry collector beside a container: its metrics to AMP, its log file to Loki.

module "topology" {
  source = "../topology"
}

locals {
  _metrics_enabled = var.metrics_port != null
  _logs_enabled    = var.loki_endpoint != null
  _log_volume      = "logs"
  _log_file        = "${var.log_directory}/server.log"
  _mib             = 1024 * 1024

  _configuration = templatefile("${path.module}/templates/collector.yaml.tftpl", {
    cluster             = jsonencode(var.project_name)
    ecs_service         = jsonencode("${var.project_name}-${var.service_name}")
    log_file            = jsonencode(local._log_file)
    log_service_name    = jsonencode(trimprefix(var.service_name, "temporal-"))
    logs_enabled        = local._logs_enabled
    loki_endpoint       = jsonencode(local._logs_enabled ? "${trimsuffix(var.loki_endpoint, "/")}/otlp" : "")
    memory_limit_mib    = floor(var.memory * 0.75)
    memory_spike_mib    = floor(var.memory * 0.2)
    metrics_enabled     = local._metrics_enabled
    metrics_target      = jsonencode("localhost:${local._metrics_enabled ? var.metrics_port : 0}")
    prometheus_endpoint = jsonencode(var.prometheus_endpoint)
    region              = jsonencode(var.region)
  })
}

resource "aws_ssm_parameter" "this" {
  name        = "/${var.project_name}/collector/${var.service_name}"
  description = "Configuration of the OpenTelemetry collector beside ${var.service_name}"
  type        = "SecureString"
  tier        = length(local._configuration) > 4096 ? "Advanced" : "Standard"
  key_id      = var.kms_key_arn
  value       = local._configuration
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local._configuration) < 8192
      error_message = "the collector's configuration for ${var.service_name} has ${length(local._configuration)} characters, and an SSM parameter takes 8192: shorten what was added to templates/collector.yaml.tftpl."
    }
  }
}

locals {
  _sidecar = {
    name      = "otel-collector"
    image     = var.image
    essential = false
    cpu       = var.cpu
    memory    = var.memory
    command   = ["--config=env:OTEL_CONFIG"]

    environment = [
      # A container reads a parameter when it starts: this makes a new task definition of a new configuration.
      { name = "CONFIG_SHA256", value = sha256(local._configuration) },
      { name = "GOMEMLIMIT", value = tostring(floor(var.memory * 0.8) * local._mib) },
    ]

    secrets = [{ name = "OTEL_CONFIG", valueFrom = aws_ssm_parameter.this.arn }]

    # Nothing else notices a collector that ended: it is not essential, and its image has no shell for a health check.
    restartPolicy = { enabled = true, restartAttemptPeriod = 60 }

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_name
        awslogs-region        = var.region
        awslogs-stream-prefix = "otel-collector"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }

    mountPoints = local._logs_enabled ? [
      { sourceVolume = local._log_volume, containerPath = var.log_directory, readOnly = true },
    ] : []
    portMappings   = []
    stopTimeout    = module.topology.stop_timeout_seconds
    systemControls = []
    volumesFrom    = []
  }
}
