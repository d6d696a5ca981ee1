# The one-off task that makes the visibility index. No service starts it: `dsql-deploy visibility setup ENV --as-task` does.

locals {
  _setup_name = "opensearch-setup"

  # Every step ends the task with its own exit code; the tool's --quiet would make failures exit 0.
  # The template comes before the index, which would have no mapping without it.
  _setup_script = <<-EOT
    tool() {
      temporal-elasticsearch-tool --endpoint "$ES_SERVER" --aws aws-sdk-default "$@"
    }
    tries=0
    until tool ping; do
      tries=$((tries + 1))
      if [ "$tries" -ge 30 ]; then
        echo "$ES_SERVER did not answer within 5 minutes" >&2
        exit 1
      fi
      sleep 10
    done
    tool setup-schema
    tool create-index --index "$ES_VISIBILITY_INDEX"
    tool update-schema --index "$ES_VISIBILITY_INDEX"
    echo "visibility index $ES_VISIBILITY_INDEX is ready"
  EOT

  _setup_environment = {
    AWS_REGION          = var.region
    ES_SERVER           = "https://${local._endpoint}:${module.topology.ports.visibility.https}"
    ES_VISIBILITY_INDEX = var.visibility_index_name
  }
}

resource "aws_cloudwatch_log_group" "setup" {
  name              = "/ecs/${var.project_name}/${local._setup_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "setup" {
  name        = "${var.project_name}-${local._setup_name}"
  description = "Task that makes the visibility index of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-${local._setup_name}" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "setup" {
  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = "${var.project_name}-${local._setup_name}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.setup_task_role_arn

  container_definitions = jsonencode([{
    name        = local._setup_name
    image       = var.admin_tools_image
    essential   = true
    entryPoint  = ["/bin/sh", "-euc"]
    command     = [local._setup_script]
    environment = [for name, value in local._setup_environment : { name = name, value = value }]

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.setup.name
        awslogs-region        = var.region
        awslogs-stream-prefix = local._setup_name
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }

    mountPoints    = []
    portMappings   = []
    systemControls = []
    volumesFrom    = []
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  tags = var.tags
}
