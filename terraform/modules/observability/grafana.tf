# Grafana: reads metrics from AMP and logs from Loki, and keeps nothing of its own.

data "aws_secretsmanager_secret" "grafana_admin" {
  count = var.grafana_enabled ? 1 : 0

  name = var.grafana_admin_secret_name
}

locals {
  _grafana_port = module.topology.ports.grafana.http

  _grafana_environment = merge(
    {
      AMP_ENDPOINT               = local._query_endpoint
      AWS_REGION                 = var.region
      AWS_SDK_LOAD_CONFIG        = "true"
      GF_AUTH_ANONYMOUS_ENABLED  = "false"
      GF_AUTH_DISABLE_LOGIN_FORM = "false"
      GF_AUTH_SIGV4_AUTH_ENABLED = "true"
      GF_LOG_MODE                = "console"
      GF_SERVER_HTTP_PORT        = tostring(local._grafana_port)
      GF_SERVER_ROOT_URL         = "http://localhost:${local._grafana_port}"
    },
    var.loki_enabled ? { LOKI_ENDPOINT = local._loki_endpoint } : {},
  )

  _grafana = !var.grafana_enabled ? {} : {
    grafana = {
      title              = "Grafana"
      cpu                = var.grafana_cpu
      memory             = var.grafana_memory
      execution_role_arn = var.grafana_execution_role_arn
      task_role_arn      = var.grafana_task_role_arn
      single             = false
      volumes            = []

      containers = [{
        name        = "grafana"
        image       = var.grafana_image
        essential   = true
        environment = [for name, value in local._grafana_environment : { name = name, value = value }]

        # The fields of the secret, which is JSON: its ARN alone would make all of the JSON the password.
        secrets = [
          { name = "GF_SECURITY_ADMIN_PASSWORD", valueFrom = "${data.aws_secretsmanager_secret.grafana_admin[0].arn}:admin_password::" },
          { name = "GF_SECURITY_ADMIN_USER", valueFrom = "${data.aws_secretsmanager_secret.grafana_admin[0].arn}:admin_user::" },
        ]

        portMappings = [{
          name          = "http"
          containerPort = local._grafana_port
          hostPort      = local._grafana_port
          protocol      = "tcp"
        }]

        healthCheck = {
          command     = ["CMD-SHELL", "wget -q --spider http://localhost:${local._grafana_port}/api/health"]
          interval    = 30
          timeout     = 5
          retries     = 3
          startPeriod = 60
        }
      }]
    }
  }
}
