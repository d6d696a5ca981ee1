# The benchmark: a generator that runs once and ends, workers as a service, and capacity that begins at none.

module "topology" {
  source = "../topology"
}

module "capacity" {
  source = "../ec2-capacity"

  project_name             = var.project_name
  name                     = "benchmark"
  cluster_name             = var.cluster_name
  vpc_id                   = var.vpc_id
  subnet_ids               = var.subnet_ids
  instance_type            = var.instance_type
  instance_count           = 0
  min_size                 = 0
  max_size                 = var.max_instances
  instance_attributes      = { workload = "benchmark" }
  wait_for                 = var.network_ready
  permissions_boundary_arn = var.permissions_boundary_arn
  tags                     = var.tags
}

locals {
  _name = "${var.project_name}-benchmark"

  _environment = { TEMPORAL_ADDRESS = "${var.frontend_host}:${module.topology.ports.frontend.grpc}" }

  _tasks = {
    benchmark = {
      cpu         = var.cpu
      memory      = var.memory
      environment = local._environment
      sidecar     = null
    }
    benchmark-worker = {
      cpu         = var.worker_cpu
      memory      = var.worker_memory
      environment = merge(local._environment, { BENCHMARK_WORKER_ONLY = "true" })
      sidecar     = var.sidecar
    }
  }

  _containers = {
    for name, task in local._tasks : name => concat(
      [{
        name      = name
        image     = var.benchmark_image
        essential = true
        # Shares are relative: without a number the agent gives a container 2, and the collector beside it has 64.
        cpu         = task.cpu - try(task.sidecar.sidecar_container_definition.cpu, 0) - try(task.sidecar.init_container_definition.cpu, 0)
        environment = [for key, value in task.environment : { name = key, value = value }]

        linuxParameters = { initProcessEnabled = true }

        logConfiguration = {
          logDriver = "awslogs"
          options = {
            awslogs-group         = aws_cloudwatch_log_group.this.name
            awslogs-region        = var.region
            awslogs-stream-prefix = name
            mode                  = "non-blocking"
            max-buffer-size       = "25m"
          }
        }

        mountPoints    = task.sidecar == null ? [] : task.sidecar.main_container_mount_points
        portMappings   = []
        systemControls = []
        volumesFrom    = []
      }],
      # Two definitions are of two types, which a conditional of lists would refuse.
      [
        for part in ["init_container_definition", "sidecar_container_definition"] : task.sidecar[part]
        if task.sidecar == null ? false : task.sidecar[part] != null
      ],
    )
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.project_name}/benchmark"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  name        = local._name
  description = "Benchmark of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local._name })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each = local._tasks

  # Revisions stay: a rollback may ask for any of them, and one that a service runs must not go inactive.
  skip_destroy = true

  family                   = "${var.project_name}-${each.key}"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn
  container_definitions    = jsonencode(local._containers[each.key])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  dynamic "volume" {
    for_each = each.value.sidecar == null ? [] : each.value.sidecar.volumes

    content {
      name = volume.value
    }
  }

  tags = var.tags
}

resource "aws_ecs_service" "worker" {
  name            = "${var.project_name}-benchmark-worker"
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.this["benchmark-worker"].arn
  desired_count   = 0

  enable_execute_command  = true
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"

  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  availability_zone_rebalancing      = "DISABLED"

  capacity_provider_strategy {
    capacity_provider = module.capacity.capacity_provider_name
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

  tags = var.tags

  lifecycle {
    # `bench` sets it for the time of a run.
    ignore_changes = [desired_count]
  }

  # ECS refuses a service whose provider is not attached; a depends_on of the whole module
  # would be a circle, since what is attached comes out of it.
  depends_on = [var.capacity_attached]
}
