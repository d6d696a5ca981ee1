# Task definitions, all made alike here, and their services.

locals {
  environment = {
    TEMPORAL_SQL_HOST            = local.dsql_endpoint
    TEMPORAL_ELASTICSEARCH_HOST  = aws_opensearch_domain.temporal.endpoint
    TEMPORAL_ELASTICSEARCH_INDEX = var.opensearch_visibility_index
    TEMPORAL_HISTORY_SHARDS      = tostring(var.temporal_history_shards)
  }

  ports = {
    temporal-history  = { grpc = 7234, membership = 6934, metrics = 9090 }
    temporal-matching = { grpc = 7235, membership = 6935, metrics = 9090 }
    temporal-frontend = { grpc = 7233, membership = 6933, metrics = 9090 }
    temporal-worker   = { grpc = 7239, membership = 6939, metrics = 9090 }
    temporal-ui       = { http = 8080 }
    grafana           = { http = 3000 }
    adot              = {}
    opensearch-setup  = {}
  }

  containers = {
    for name, ports in local.ports : name => jsonencode([{
      name            = name
      image           = local.image
      essential       = true
      environment     = [for key, value in local.environment : { name = key, value = value }]
      portMappings    = [for port, number in ports : { name = port, containerPort = number, hostPort = number, protocol = "tcp" }]
      linuxParameters = { initProcessEnabled = true }
      mountPoints     = []
      systemControls  = []
      volumesFrom     = []

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = "/ecs/${var.project_name}/${name}"
          awslogs-region        = var.region
          awslogs-stream-prefix = name
          awslogs-create-group  = "true"
        }
      }
    }])
  }
}

resource "aws_ssm_parameter" "adot_config" {
  name  = "/${var.project_name}/adot/collector-config"
  type  = "String"
  tier  = "Advanced"
  value = "exporters: { prometheusremotewrite: { endpoint: ${aws_prometheus_workspace.main.prometheus_endpoint}api/v1/remote_write } }"
}

resource "aws_ecs_task_definition" "temporal_history" {
  family                   = "${var.project_name}-temporal-history"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.temporal_task.arn
  container_definitions    = local.containers["temporal-history"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "temporal_matching" {
  family                   = "${var.project_name}-temporal-matching"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.temporal_task.arn
  container_definitions    = local.containers["temporal-matching"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "temporal_frontend" {
  family                   = "${var.project_name}-temporal-frontend"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.temporal_task.arn
  container_definitions    = local.containers["temporal-frontend"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "temporal_worker" {
  family                   = "${var.project_name}-temporal-worker"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.temporal_task.arn
  container_definitions    = local.containers["temporal-worker"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "temporal_ui" {
  family                   = "${var.project_name}-temporal-ui"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.temporal_ui_task.arn
  container_definitions    = local.containers["temporal-ui"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "grafana" {
  family                   = "${var.project_name}-grafana"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.grafana_task.arn
  container_definitions    = local.containers["grafana"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "adot" {
  family                   = "${var.project_name}-adot"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.adot_task.arn
  container_definitions    = local.containers["adot"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_task_definition" "opensearch_setup" {
  family                   = "${var.project_name}-opensearch-setup"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.ecs_execution.arn
  task_role_arn            = aws_iam_role.opensearch_setup_task.arn
  container_definitions    = local.containers["opensearch-setup"]

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_service" "temporal_history" {
  name                   = "${var.project_name}-temporal-history"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.temporal_history.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.temporal_history.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn

    service {
      port_name      = "grpc"
      discovery_name = "temporal-history"

      client_alias {
        port     = local.ports["temporal-history"].grpc
        dns_name = "temporal-history"
      }
    }
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "temporal_matching" {
  name                   = "${var.project_name}-temporal-matching"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.temporal_matching.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.temporal_matching.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn

    service {
      port_name      = "grpc"
      discovery_name = "temporal-matching"

      client_alias {
        port     = local.ports["temporal-matching"].grpc
        dns_name = "temporal-matching"
      }
    }
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "temporal_frontend" {
  name                   = "${var.project_name}-temporal-frontend"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.temporal_frontend.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.temporal_frontend.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn

    service {
      port_name      = "grpc"
      discovery_name = "temporal-frontend"

      client_alias {
        port     = local.ports["temporal-frontend"].grpc
        dns_name = "temporal-frontend"
      }
    }
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "temporal_worker" {
  name                   = "${var.project_name}-temporal-worker"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.temporal_worker.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.temporal_worker.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "temporal_ui" {
  name                   = "${var.project_name}-temporal-ui"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.temporal_ui.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.temporal_ui.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "grafana" {
  name                   = "${var.project_name}-grafana"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.grafana.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.grafana.id]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.main]
}

resource "aws_ecs_service" "adot" {
  name                   = "${var.project_name}-adot"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.adot.arn
  desired_count          = 0
  enable_execute_command = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.ec2.name
    weight            = 100
    base              = 1
  }

  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.ecs_instances.id, aws_security_group.adot.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.main.arn
  }

  depends_on = [aws_ecs_service.temporal_history, aws_ecs_service.temporal_matching, aws_ecs_service.temporal_frontend, aws_ecs_service.temporal_worker]
}
