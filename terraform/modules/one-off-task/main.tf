# A task on Fargate that no service starts: `dsql-deploy` runs it once, where a private cluster is reached.

locals {
  _environment = merge({ AWS_REGION = var.region }, var.environment)
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.project_name}/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  name        = "${var.project_name}-${var.name}"
  description = var.description
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-${var.name}" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "this" {
  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = "${var.project_name}-${var.name}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn

  container_definitions = jsonencode([{
    name        = var.name
    image       = var.image
    essential   = true
    entryPoint  = var.entry_point
    command     = var.command
    environment = [for name, value in local._environment : { name = name, value = value }]

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = var.name
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
