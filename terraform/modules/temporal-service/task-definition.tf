# The task: the server, and the collector beside it.

locals {
  _log_options = {
    awslogs-group         = aws_cloudwatch_log_group.this.name
    awslogs-region        = var.region
    awslogs-stream-prefix = local._container_name
    # With the blocking mode a stall of CloudWatch stalls the server.
    mode            = "non-blocking"
    max-buffer-size = "25m"
  }

  # Two definitions are of two types, which a conditional of lists would refuse.
  _sidecar_containers = [
    for part in ["init_container_definition", "sidecar_container_definition"] : var.sidecar[part]
    if var.sidecar == null ? false : var.sidecar[part] != null
  ]

  _sidecar_cpu = sum(concat([0], [for definition in local._sidecar_containers : try(definition.cpu, 0)]))

  _server = {
    name      = local._container_name
    image     = var.image
    essential = true
    # Shares are relative: without a number the agent gives a container 2, and the collector beside it has 64.
    cpu = var.cpu - local._sidecar_cpu

    environment = [for name, value in local._environment : { name = name, value = value }]

    portMappings = [
      for name in sort(keys(module.topology.ports[var.service_name])) : {
        name          = name
        containerPort = module.topology.ports[var.service_name][name]
        hostPort      = module.topology.ports[var.service_name][name]
        protocol      = "tcp"
      }
    ]

    healthCheck = {
      # The unnamed health service says SERVING before the role has joined the ring.
      command = [
        "CMD", "grpc_health_probe",
        "-addr=localhost:${local._role.ports.grpc}",
        "-service=${local._role.health_service}",
      ]
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = min(local._start_seconds, 300)
    }

    linuxParameters = {
      initProcessEnabled = true
      tmpfs = [{
        containerPath = "/etc/temporal/config/dynamicconfig"
        size          = var.temporal_dynamicconfig_tmpfs_size
        # The mount hides what the image has there and belongs to root unless told otherwise:
        # the entrypoint, which runs as the user 1000, fills it.
        mountOptions = ["uid=1000", "gid=1000", "mode=0755", "noexec", "nosuid"]
      }]
    }

    logConfiguration = { logDriver = "awslogs", options = local._log_options }
    mountPoints      = var.sidecar == null ? [] : var.sidecar.main_container_mount_points
    stopTimeout      = module.topology.stop_timeout_seconds
    systemControls   = []
    ulimits          = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    volumesFrom      = []
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
  container_definitions    = jsonencode(concat([local._server], local._sidecar_containers))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  dynamic "volume" {
    for_each = var.sidecar == null ? [] : var.sidecar.volumes

    content {
      name = volume.value
    }
  }

  tags = var.tags

  lifecycle {
    precondition {
      # After the start period as many checks may fail as there are retries.
      condition     = local._start_seconds <= 300 + 3 * 30
      error_message = "a start of ${var.service_name} may take ${local._start_seconds} s, ${local._warm_up_seconds} of them for ${local._warm_up_connects} connects to DSQL (4 pools of max_conns), and ECS replaces a task that is not healthy after 390 s, for ever: lower max_conns, raise connection_rate_limit or connection_burst_limit, or set connections.rate_limiter_enabled or connections.reservoir_enabled to true."
    }
  }
}
