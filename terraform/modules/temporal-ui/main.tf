# The Temporal UI: a client of the frontend, reached by port forwarding only.

module "topology" {
  source = "../topology"
}

locals {
  _container_name = "temporal-ui"
  _name           = "${var.project_name}-${local._container_name}"
  _port           = module.topology.ports.ui.http

  _environment = {
    TEMPORAL_ADDRESS      = "temporal-frontend:${module.topology.ports.frontend.grpc}"
    TEMPORAL_CORS_ORIGINS = join(",", var.cors_origins)
    TEMPORAL_UI_PORT      = tostring(local._port)
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.project_name}/${local._container_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  name        = local._name
  description = "Temporal UI of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local._name })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "this" {
  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = local._name
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn

  container_definitions = jsonencode([{
    name        = local._container_name
    image       = var.image
    essential   = true
    environment = [for name, value in local._environment : { name = name, value = value }]

    portMappings = [{
      name          = "http"
      containerPort = local._port
      hostPort      = local._port
      protocol      = "tcp"
    }]

    healthCheck = {
      command     = ["CMD-SHELL", "wget -q --spider http://localhost:${local._port}/healthz"]
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }

    linuxParameters = { initProcessEnabled = true }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = local._container_name
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }

    mountPoints    = []
    systemControls = []
    volumesFrom    = []
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  tags = var.tags
}

resource "aws_ecs_service" "this" {
  name            = local._name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.desired_count

  enable_execute_command  = true
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "DISABLED"

  capacity_provider_strategy {
    capacity_provider = var.capacity_provider_name
    base              = 0
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [aws_security_group.this.id]
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "attribute:ecs.availability-zone"
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "instanceId"
  }

  dynamic "placement_constraints" {
    for_each = var.placement_constraints

    content {
      type       = "memberOf"
      expression = placement_constraints.value
    }
  }

  # A client only: it gets temporal-frontend if that was there when this service was last deployed.
  service_connect_configuration {
    enabled   = true
    namespace = var.service_connect_namespace_arn

    log_configuration {
      log_driver = "awslogs"

      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "service-connect"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }

  tags = var.tags

  lifecycle {
    # `up` and `scale` set it: an apply must never reset what runs.
    ignore_changes = [desired_count]
  }

  depends_on = [var.wait_for]
}
