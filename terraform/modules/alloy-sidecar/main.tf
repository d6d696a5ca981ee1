# Grafana Alloy beside a container: its metrics to AMP, its log file to Loki.

module "topology" {
  source = "../topology"
}

locals {
  _metrics_enabled = var.metrics_port != null
  _logs_enabled    = var.loki_endpoint != null

  _configuration_volume    = "alloy"
  _configuration_directory = "/etc/alloy-config"
  _log_volume              = "logs"
  _log_file                = "${var.log_directory}/server.log"

  _configuration = templatefile("${path.module}/templates/config.alloy.tftpl", {
    cluster             = jsonencode(var.project_name)
    ecs_service         = jsonencode("${var.project_name}-${var.service_name}")
    log_file            = jsonencode(local._log_file)
    log_service_name    = jsonencode(trimprefix(var.service_name, "temporal-"))
    logs_enabled        = local._logs_enabled
    loki_endpoint       = jsonencode(local._logs_enabled ? "${trimsuffix(var.loki_endpoint, "/")}/loki/api/v1/push" : "")
    metrics_enabled     = local._metrics_enabled
    metrics_target      = jsonencode("localhost:${local._metrics_enabled ? var.metrics_port : 0}")
    prometheus_endpoint = jsonencode(var.prometheus_endpoint)
    region              = jsonencode(var.region)
  })

  # The same parts in both containers.
  _container = {
    image     = var.image
    essential = false

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_name
        awslogs-region        = var.region
        awslogs-stream-prefix = "alloy"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }

    portMappings   = []
    systemControls = []
    # Root, because an empty ECS volume belongs to root.
    user        = "0"
    volumesFrom = []
  }

  _configuration_mount = {
    sourceVolume  = local._configuration_volume
    containerPath = local._configuration_directory
    readOnly      = false
  }
}

resource "aws_ssm_parameter" "this" {
  name        = "/${var.project_name}/collector/${var.service_name}"
  description = "Configuration of Grafana Alloy beside ${var.service_name}"
  type        = "SecureString"
  tier        = length(local._configuration) > 4096 ? "Advanced" : "Standard"
  key_id      = var.kms_key_arn
  value       = local._configuration
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(local._configuration) < 8192
      error_message = "Alloy's configuration for ${var.service_name} has ${length(local._configuration)} characters, and an SSM parameter takes 8192: shorten what was added to templates/config.alloy.tftpl."
    }
  }
}

locals {
  # Alloy reads files only.
  _init = merge(local._container, {
    name       = "alloy-init"
    cpu        = 16
    memory     = 64
    entryPoint = ["/bin/sh", "-c"]
    command    = ["printf '%s' \"$ALLOY_CONFIG\" > ${local._configuration_directory}/config.alloy"]

    # A container reads a parameter when it starts: this makes a new task definition of a new configuration.
    environment = [{ name = "CONFIG_SHA256", value = sha256(local._configuration) }]
    secrets     = [{ name = "ALLOY_CONFIG", valueFrom = aws_ssm_parameter.this.arn }]
    mountPoints = [local._configuration_mount]
  })

  _sidecar = merge(local._container, {
    name   = "alloy"
    cpu    = var.cpu
    memory = var.memory

    command = [
      "run", "${local._configuration_directory}/config.alloy",
      "--storage.path=${local._configuration_directory}/data",
      "--server.http.listen-addr=127.0.0.1:12345",
      "--disable-reporting",
    ]

    dependsOn   = [{ containerName = "alloy-init", condition = "SUCCESS" }]
    environment = [{ name = "GOMEMLIMIT", value = tostring(floor(var.memory * 0.8) * 1024 * 1024) }]

    # Nothing else notices a collector that ended: it is not essential.
    restartPolicy = { enabled = true, restartAttemptPeriod = 60 }

    mountPoints = concat([local._configuration_mount], local._logs_enabled ? [
      { sourceVolume = local._log_volume, containerPath = var.log_directory, readOnly = true },
    ] : [])
    stopTimeout = module.topology.stop_timeout_seconds
  })
}
