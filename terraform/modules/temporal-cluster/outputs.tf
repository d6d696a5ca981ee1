output "aws_account_id" {
  description = "Account that the cluster stands in."
  value       = data.aws_caller_identity.current.account_id
}

output "vpc_id" {
  description = "The VPC."
  value       = local.vpc.vpc_id
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of the zones."
  value       = local.vpc.private_subnet_ids
}

output "public_subnet_id" {
  description = "Subnet of the first NAT gateway; null without one."
  value       = one(module.vpc[*].public_subnet_id)
}

output "nat_public_ips" {
  description = "Addresses from which the cluster calls the internet; empty without NAT gateways of this module."
  value       = flatten(module.vpc[*].nat_public_ips)
}

output "ecs_cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = local.cluster.arn
}

output "ecs_cluster_name" {
  description = "Name of the ECS cluster."
  value       = local.cluster.name
}

output "capacity_provider_names" {
  description = "Capacity providers by component: on which instances its tasks run."
  value       = local.capacity_provider_names
}

output "ec2_instance_count" {
  description = "Instances at creation; ECS scales them afterwards. 0 with an existing cluster."
  value       = sum(concat([0], [for group in module.capacity : group.instance_count]))
}

output "asg_names" {
  description = "Auto Scaling groups by group of instances."
  value       = { for name, group in module.capacity : name => group.asg_name }
}

output "services" {
  description = "ECS services by component, in the order of names: service_name, task_definition_arn, container_name, security_group_id, replicas."
  value       = local._services
}

output "start_order" {
  description = "Components in the order in which they are started: first what others push to, then the servers, then their clients."
  value = [
    for component in concat(["loki", "adot"], module.topology.start_order, ["grafana"]) :
    component if contains(keys(local._services), component)
  ]
}

output "dsql_cluster_endpoint" {
  description = "Host of the DSQL cluster."
  value       = module.dsql.endpoint
}

output "dsql_cluster_arn" {
  description = "ARN of the DSQL cluster."
  value       = module.dsql.arn
}

output "opensearch_domain_id" {
  description = "What AWS calls this very OpenSearch domain; null for a brought one."
  value       = module.opensearch.domain_id
}

output "opensearch_endpoint" {
  description = "Host of the OpenSearch domain."
  value       = module.opensearch.domain_endpoint
}

output "opensearch_visibility_index" {
  description = "The visibility index."
  value       = module.opensearch.visibility_index_name
}

output "opensearch_setup" {
  description = "What running the set-up task takes: task_definition_arn, security_group_id, subnet_ids, log_group_name."
  value = {
    task_definition_arn = module.opensearch.setup_task_definition_arn
    security_group_id   = module.opensearch.setup_security_group_id
    subnet_ids          = local.vpc.private_subnet_ids
    log_group_name      = module.opensearch.setup_log_group_name
  }
}

output "schema_setup" {
  description = "What running the task of the schema takes: task_definition_arn, security_group_id, subnet_ids, log_group_name, container_name."
  value = {
    task_definition_arn = module.schema_setup.task_definition_arn
    security_group_id   = module.schema_setup.security_group_id
    subnet_ids          = local.vpc.private_subnet_ids
    log_group_name      = module.schema_setup.log_group_name
    container_name      = module.schema_setup.container_name
  }
}

output "admin_task" {
  description = "What running the task of operators' verbs takes: task_definition_arn, security_group_id, subnet_ids, log_group_name, container_name."
  value = {
    task_definition_arn = module.admin_task.task_definition_arn
    security_group_id   = module.admin_task.security_group_id
    subnet_ids          = local.vpc.private_subnet_ids
    log_group_name      = module.admin_task.log_group_name
    container_name      = module.admin_task.container_name
  }
}

output "deletion_protection" {
  description = "Whether what keeps data is protected: the DSQL cluster made here, tables, load balancer."
  value       = var.deletion_protection
}

output "dynamodb_table_names" {
  description = "Tables that count connections: rate_limiter and conn_lease, null where off."
  value = {
    rate_limiter = module.dynamodb.table_name
    conn_lease   = module.dynamodb.conn_lease_table_name
  }
}

output "prometheus_workspace_id" {
  description = "Id of the AMP workspace."
  value       = module.observability.prometheus_workspace_id
}

output "prometheus_workspace_arn" {
  description = "ARN of the AMP workspace."
  value       = module.observability.prometheus_workspace_arn
}

output "prometheus_endpoint" {
  description = "Remote write URL of the AMP workspace."
  value       = module.observability.prometheus_remote_write_endpoint
}

output "prometheus_query_endpoint" {
  description = "Query URL of the AMP workspace."
  value       = module.observability.prometheus_query_endpoint
}

output "loki_endpoint" {
  description = "URL of Loki inside the VPC; null without it."
  value       = module.observability.loki_endpoint
}

output "loki_s3_bucket_name" {
  description = "Loki's bucket; null without Loki."
  value       = module.observability.loki_s3_bucket_name
}

output "frontend_address" {
  description = "host:port of the frontend for tasks in this VPC, by DNS."
  value       = "temporal-frontend.${local.cluster.private_dns_namespace_name}:${module.topology.ports.frontend.grpc}"
}

output "client_security_group_id" {
  description = "Security group that lets whoever wears it call the frontend."
  value       = aws_security_group.client.id
}

output "frontend_load_balancer" {
  description = "The load balancer before the frontend: dns_name, and the PrivateLink service's name; nulls without them."
  value = {
    dns_name              = one(aws_lb.frontend[*].dns_name)
    endpoint_service_name = one(aws_vpc_endpoint_service.frontend[*].service_name)
  }
}

output "benchmark" {
  description = "The benchmark: task_definition_arn, worker_service_name, capacity_provider_name, security_group_id, log_group_name; null without it."
  value = one([for benchmark in module.benchmark : {
    task_definition_arn    = benchmark.task_definition_arn
    worker_service_name    = benchmark.worker_service_name
    capacity_provider_name = benchmark.capacity_provider_name
    security_group_id      = benchmark.security_group_id
    log_group_name         = benchmark.log_group_name
  }])
}

output "client_vpn_endpoint_id" {
  description = "The Client VPN endpoint; null without one."
  value       = one(module.client_vpn[*].client_vpn_endpoint_id)
}

output "kms_key_arn" {
  description = "Key of logs, parameters, tables, bucket and domain."
  value       = local.kms_key_arn
}

output "connection_budget" {
  description = "Connections to DSQL: the most per second and in all that the servers may make and hold during a deployment."
  value       = { per_second = module.connection_budget.connects_per_second, held = local._connections }
}

output "ecs_exec_commands" {
  description = "A shell in a container of each component; `dsql-deploy exec` finds the task by itself."
  value = {
    for component, service in local._services : replace(service.container_name, "-", "_") =>
    "aws ecs execute-command --region ${var.region} --cluster ${local.cluster.name} --task TASK_ID --container ${service.container_name} --interactive --command /bin/sh"
  }
}

output "port_forward_commands" {
  description = "The pages of UI and Grafana on this machine; `dsql-deploy open` finds task and runtime id by itself."
  value = {
    for component, port in local._pages : component =>
    "aws ssm start-session --region ${var.region} --target ecs:${local.cluster.name}_TASK_ID_RUNTIME_ID --document-name AWS-StartPortForwardingSession --parameters portNumber=${port},localPortNumber=${port}"
    if contains(keys(local._services), component)
  }
}

output "opensearch_setup_command" {
  description = "Runs the set-up task of the visibility index; `dsql-deploy visibility` waits for it and shows its log."
  value       = "aws ecs run-task --region ${var.region} --cluster ${local.cluster.name} --launch-type FARGATE --task-definition ${module.opensearch.setup_task_definition_arn} --network-configuration 'awsvpcConfiguration={subnets=[${join(",", local.vpc.private_subnet_ids)}],securityGroups=[${module.opensearch.setup_security_group_id}],assignPublicIp=DISABLED}'"
}

locals {
  _pages = {
    ui      = module.topology.ports.ui.http
    grafana = module.topology.ports.grafana.http
  }

  _services = merge(
    {
      for role, service in module.temporal_service : role => {
        service_name        = service.service_name
        task_definition_arn = service.task_definition_arn
        container_name      = service.container_name
        security_group_id   = service.security_group_id
        replicas            = service.replicas
      }
    },
    {
      for ui in module.temporal_ui : "ui" => {
        service_name        = ui.service_name
        task_definition_arn = ui.task_definition_arn
        container_name      = ui.container_name
        security_group_id   = ui.security_group_id
        replicas            = ui.replicas
      }
    },
    !var.telemetry.grafana_enabled ? {} : {
      grafana = {
        service_name        = module.observability.grafana_service_name
        task_definition_arn = module.observability.grafana_task_definition_arn
        container_name      = "grafana"
        security_group_id   = module.observability.grafana_security_group_id
        replicas            = 1
      }
    },
    !var.telemetry.loki_enabled ? {} : {
      loki = {
        service_name        = module.observability.loki_service_name
        task_definition_arn = module.observability.loki_task_definition_arn
        container_name      = "loki"
        security_group_id   = module.observability.loki_security_group_id
        replicas            = 1
      }
    },
    !var.telemetry.adot_enabled ? {} : {
      adot = {
        service_name        = module.observability.adot_service_name
        task_definition_arn = module.observability.adot_task_definition_arn
        container_name      = "adot"
        security_group_id   = module.observability.adot_security_group_id
        replicas            = 1
      }
    },
  )
}
