# What only some flat roots have. A block whose source is not in the state does nothing.

# A third zone.

moved {
  from = aws_subnet.private[2]
  to   = module.temporal.module.vpc[0].aws_subnet.private["eu-west-1c"]
}

moved {
  from = aws_route_table_association.private[2]
  to   = module.temporal.module.vpc[0].aws_route_table_association.private["eu-west-1c"]
}

# Tables of the connection limiter: kept by connections.rate_limiter_enabled and distributed_conn_lease_enabled.

moved {
  from = aws_dynamodb_table.dsql_rate_limiter
  to   = module.temporal.module.dynamodb.aws_dynamodb_table.this["rate_limiter"]
}

moved {
  from = aws_dynamodb_table.dsql_conn_lease
  to   = module.temporal.module.dynamodb.aws_dynamodb_table.this["conn_lease"]
}

moved {
  from = aws_vpc_endpoint.dynamodb
  to   = module.temporal.module.vpc[0].aws_vpc_endpoint.gateway["dynamodb"]
}

# The benchmark: kept by benchmark.enabled.

moved {
  from = aws_iam_role.benchmark_task
  to   = module.temporal.module.iam.aws_iam_role.task["benchmark-task"]
}

moved {
  from = aws_cloudwatch_log_group.benchmark
  to   = module.temporal.module.benchmark[0].aws_cloudwatch_log_group.this
}

moved {
  from = aws_security_group.benchmark
  to   = module.temporal.module.benchmark[0].aws_security_group.this
}
