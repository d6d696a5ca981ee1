# What Grafana, Loki and the ADOT collector have in common: task, service, security group, log group.

locals {
  _services = merge(local._grafana, local._loki, local._adot)

  # Containers of each, with the parts that all containers have.
  _containers = {
    for name, service in local._services : name => [
      for container in service.containers : merge(
        {
          linuxParameters = { initProcessEnabled = true }

          logConfiguration = {
            logDriver = "awslogs"
            options = {
              awslogs-group         = aws_cloudwatch_log_group.this[name].name
              awslogs-region        = var.region
              awslogs-stream-prefix = container.name
              mode                  = "non-blocking"
              max-buffer-size       = "25m"
            }
          }

          environment    = []
          mountPoints    = []
          portMappings   = []
          systemControls = []
          volumesFrom    = []
        },
        # A health check that an image cannot run is null.
        { for key, value in container : key => value if value != null },
      )
    ]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local._services

  name              = "/ecs/${var.project_name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Their rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  for_each = local._services

  name        = "${var.project_name}-${each.key}"
  description = "${each.value.title} of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-${each.key}" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each = local._services

  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = "${var.project_name}-${each.key}"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = each.value.execution_role_arn
  task_role_arn            = each.value.task_role_arn
  container_definitions    = jsonencode(local._containers[each.key])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  dynamic "volume" {
    for_each = each.value.volumes

    content {
      name = volume.value
    }
  }

  tags = var.tags
}

resource "aws_ecs_service" "this" {
  for_each = local._services

  name            = "${var.project_name}-${each.key}"
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this[each.key].arn
  desired_count   = 0

  enable_execute_command  = true
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_minimum_healthy_percent = each.value.single ? 0 : 100
  deployment_maximum_percent         = each.value.single ? 100 : 200
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
    security_groups = [aws_security_group.this[each.key].id]
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

  dynamic "service_registries" {
    for_each = each.key == "loki" ? aws_service_discovery_service.loki : []

    content {
      # An A record takes the address of the task: a container and a port are named for SRV records only.
      registry_arn = service_registries.value.arn
    }
  }

  tags = var.tags

  lifecycle {
    # `up` and `scale` set it: an apply must never reset what runs.
    ignore_changes = [desired_count]
  }
}
