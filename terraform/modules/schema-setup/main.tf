# The one-off task that sets up the schema in DSQL. No service starts it: `dsql-deploy schema setup ENV --as-task` does.

locals {
  _name = "schema-setup"

  # The tool makes its token of the task's role; there is no secret to be passed.
  _environment = {
    AWS_REGION         = var.region
    CLUSTER_ENDPOINT   = var.dsql_cluster_endpoint
    DSQL_DEPLOY_SCHEMA = var.schema_folder
  }
}


resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.project_name}/${local._name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  name        = "${var.project_name}-${local._name}"
  description = "Task that sets up the schema of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-${local._name}" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "this" {
  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = "${var.project_name}-${local._name}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn

  container_definitions = jsonencode([{
    name       = local._name
    image      = var.admin_tools_image
    essential  = true
    entryPoint = ["dsql-deploy"]
    # With an endpoint the environment is a name and no more; whoever runs the task gives its own.
    command     = ["schema", "setup", var.project_name]
    environment = [for name, value in local._environment : { name = name, value = value }]

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = local._name
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
