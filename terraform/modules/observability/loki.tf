# Loki: one process that keeps log lines in a bucket.

locals {
  _loki_port     = module.topology.ports.loki.http
  _loki_endpoint = "http://loki.${var.private_dns_namespace_name}:${local._loki_port}"

  _loki_data_directory          = "/loki"
  _loki_configuration_directory = "/etc/loki-config"
  _loki_user                    = "10001"

  _loki_configuration = templatefile("${path.module}/templates/loki.yaml.tftpl", {
    bucket          = jsonencode(local._loki_bucket_name)
    data_directory  = local._loki_data_directory
    http_port       = local._loki_port
    region          = jsonencode(var.region)
    retention_hours = var.loki_retention_days * 24
  })

  # The image has no shell and no wget. From 3.7 on Loki can ask itself; before that nothing in the image can.
  _loki_checks_itself = can(regex(":v?([4-9]|[1-9][0-9]|3[.]([7-9]|[1-9][0-9]))[.]", var.loki_image))

  _loki_volumes = [
    { sourceVolume = "loki-config", containerPath = local._loki_configuration_directory, readOnly = false },
    { sourceVolume = "loki-data", containerPath = local._loki_data_directory, readOnly = false },
  ]

  _loki = !var.loki_enabled ? {} : {
    loki = {
      title              = "Loki"
      cpu                = var.loki_cpu
      memory             = var.loki_memory
      execution_role_arn = var.execution_role_arn
      task_role_arn      = var.loki_task_role_arn
      # Two writers of one index would undo each other's compactions: the old task goes before the new one comes.
      single  = true
      volumes = [for mount in local._loki_volumes : mount.sourceVolume]

      containers = [
        {
          # Loki reads files only, and its image has no shell to write one.
          name       = "loki-init"
          image      = coalesce(var.loki_init_image, var.grafana_image)
          essential  = false
          memory     = 64
          user       = "0"
          entryPoint = ["/bin/sh", "-ec"]
          command = [join(" && ", [
            "printf '%s' \"$LOKI_CONFIG\" > ${local._loki_configuration_directory}/config.yaml",
            # An empty ECS volume belongs to root.
            "chown ${local._loki_user}:${local._loki_user} ${local._loki_data_directory}",
          ])]
          # A container reads a parameter when it starts: this makes a new task definition of a new configuration.
          environment = [{ name = "CONFIG_SHA256", value = sha256(local._loki_configuration) }]
          secrets     = [{ name = "LOKI_CONFIG", valueFrom = aws_ssm_parameter.loki[0].arn }]
          mountPoints = local._loki_volumes
        },
        {
          name        = "loki"
          image       = var.loki_image
          essential   = true
          user        = local._loki_user
          command     = ["-config.file=${local._loki_configuration_directory}/config.yaml"]
          mountPoints = local._loki_volumes
          portMappings = [{
            name          = "http"
            containerPort = local._loki_port
            hostPort      = local._loki_port
            protocol      = "tcp"
          }]
          dependsOn = [{ containerName = "loki-init", condition = "SUCCESS" }]
          healthCheck = !local._loki_checks_itself ? null : {
            command     = ["CMD", "/usr/bin/loki", "-health", "-health.url=http://localhost:${local._loki_port}/ready"]
            interval    = 30
            timeout     = 10
            retries     = 3
            startPeriod = 120
          }
          # On SIGTERM it writes to the bucket what it has in memory.
          stopTimeout = 120
        },
      ]
    }
  }
}

resource "aws_ssm_parameter" "loki" {
  count = var.loki_enabled ? 1 : 0

  name        = "/${var.project_name}/loki/config"
  description = "Configuration of Loki"
  type        = "SecureString"
  tier        = length(local._loki_configuration) > 4096 ? "Advanced" : "Standard"
  key_id      = var.kms_key_arn
  value       = local._loki_configuration
  tags        = var.tags
}

# A plain DNS name: Service Connect serves no tasks that no service starts, and one task needs no balancing.
resource "aws_service_discovery_service" "loki" {
  count = var.loki_enabled ? 1 : 0

  # Tasks that stopped badly leave their addresses behind, and the service could then not be deleted.
  force_destroy = true
  name          = "loki"

  dns_config {
    namespace_id   = var.private_dns_namespace_id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  # ECS reports the health of the task; Route 53 cannot look into the VPC.
  health_check_custom_config {
    failure_threshold = 1
  }

  tags = var.tags
}
