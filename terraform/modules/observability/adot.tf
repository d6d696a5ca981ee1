# Optional: one ADOT collector for the whole cluster, in place of one beside each server.

locals {
  _adot_enabled = var.adot.enabled

  _adot_configuration = templatefile("${path.module}/templates/adot.yaml.tftpl", {
    cluster             = jsonencode(var.project_name)
    ecs_cluster         = jsonencode(var.cluster_name)
    memory_limit_mib    = floor(var.adot.memory * 0.75)
    memory_spike_mib    = floor(var.adot.memory * 0.2)
    metrics_port        = module.topology.metrics_port
    prometheus_endpoint = jsonencode(local._remote_write_endpoint)
    region              = jsonencode(var.region)
    roles               = join("|", sort(keys(module.topology.roles)))
    services            = "${var.project_name}-temporal"
    targets_directory   = local._adot_targets_directory
  })

  _adot_targets_directory = "/ecs-observer"

  _adot = !local._adot_enabled ? {} : {
    adot = {
      title              = "ADOT collector"
      cpu                = var.adot.cpu
      memory             = var.adot.memory
      execution_role_arn = var.execution_role_arn
      task_role_arn      = var.adot_task_role_arn
      # Two collectors of the same tasks would write every sample twice.
      single  = true
      volumes = []

      containers = [{
        name      = "adot"
        image     = var.adot.image
        essential = true

        environment = [
          { name = "AWS_REGION", value = var.region },
          # A container reads a parameter when it starts: this makes a new task definition of a new configuration.
          { name = "CONFIG_SHA256", value = sha256(local._adot_configuration) },
        ]
        secrets = [{ name = "AOT_CONFIG_CONTENT", valueFrom = aws_ssm_parameter.adot[0].arn }]

        # The image comes with a program that asks the collector's health_check.
        healthCheck = {
          command     = ["CMD", "/healthcheck"]
          interval    = 30
          timeout     = 5
          retries     = 3
          startPeriod = 30
        }

        linuxParameters = {
          initProcessEnabled = true
          # The list of tasks that were found; the image has no directory that any user may write to.
          tmpfs = [{
            containerPath = local._adot_targets_directory
            size          = 8
            mountOptions  = ["mode=1777", "noexec", "nosuid"]
          }]
        }
      }]
    }
  }
}

resource "aws_ssm_parameter" "adot" {
  count = local._adot_enabled ? 1 : 0

  name        = "/${var.project_name}/adot/collector-config"
  description = "Configuration of the ADOT collector"
  type        = "SecureString"
  tier        = length(local._adot_configuration) > 4096 ? "Advanced" : "Standard"
  key_id      = var.kms_key_arn
  value       = local._adot_configuration
  tags        = var.tags
}
