# One role of Temporal as an ECS service.

module "topology" {
  source = "../topology"
}

locals {
  _role           = module.topology.roles[var.service_name]
  _container_name = "temporal-${var.service_name}"
  _name           = "${var.project_name}-${local._container_name}"
  _is_frontend    = var.service_name == "frontend"

  # A start warms up four pools, one after the other, through the limiter of all processes or its own.
  _warm_up_connects = 4 * var.max_conns
  _warm_up_seconds = ceil(
    var.rate_limiter_enabled
    ? local._warm_up_connects / var.rate_limiter_limit
    : max(0, local._warm_up_connects - var.connection_burst_limit) / var.connection_rate_limit
  )

  # Above the worst that was measured: 60 s until a join among stale members has succeeded or failed,
  # after the stagger and the warm-up, or in reservoir mode three fills that wait for their time-out.
  _start_seconds = 60 + 30 + var.staggered_startup_seconds + (
    var.reservoir_enabled ? 3 * var.reservoir.initial_fill_timeout_seconds : local._warm_up_seconds
  )
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
  description = "Temporal ${var.service_name} of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local._name })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_service" "this" {
  name            = local._name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.desired_count

  enable_execute_command  = true
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_minimum_healthy_percent = var.minimum_healthy_percent
  deployment_maximum_percent         = var.maximum_percent
  health_check_grace_period_seconds  = local._start_seconds
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

  dynamic "service_connect_configuration" {
    for_each = local._is_frontend ? [var.service_connect_namespace_arn] : []

    content {
      enabled   = true
      namespace = service_connect_configuration.value

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

      service {
        # The port mapping has no appProtocol: as gRPC the proxy would cut long polls after 15 s.
        port_name      = "grpc"
        discovery_name = local._container_name

        client_alias {
          dns_name = local._container_name
          port     = local._role.ports.grpc
        }
      }
    }
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.this

    content {
      # An A record takes the address of the task: a container and a port are named for SRV records only.
      registry_arn = service_registries.value.arn
    }
  }

  dynamic "load_balancer" {
    for_each = var.target_group_arns

    content {
      target_group_arn = load_balancer.value
      container_name   = local._container_name
      container_port   = local._role.ports.grpc
    }
  }

  tags = var.tags

  lifecycle {
    # `up` and `scale` set it: an apply must never reset what runs.
    ignore_changes = [desired_count]
  }

  depends_on = [var.wait_for]
}

resource "aws_service_discovery_service" "this" {
  count = local._is_frontend && var.private_dns_enabled ? 1 : 0

  # Tasks that stopped badly leave their addresses behind, and the service could then not be deleted.
  force_destroy = true
  name          = local._container_name

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
