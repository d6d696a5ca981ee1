# The environment of the server's container; its names are those of topology.json.

locals {
  _environment = merge(
    var.environment,
    var.sidecar == null ? {} : var.sidecar.main_container_environment,
    local._server_environment,
    local._dsql_environment,
    var.rate_limiter_enabled ? local._rate_limiter_environment : {},
    var.reservoir_enabled ? local._reservoir_environment : {},
    var.distributed_conn_lease_enabled ? local._lease_environment : {},
  )

  _server_environment = {
    AWS_EC2_METADATA_DISABLED = "true"
    BIND_ON_IP                = "0.0.0.0"
    DEPLOY_ENVIRONMENT        = var.environment_name
    TEMPORAL_HISTORY_SHARDS   = tostring(var.history_shards)
    TEMPORAL_LOG_LEVEL        = var.log_level
    TEMPORAL_SERVICES         = var.service_name

    TEMPORAL_ELASTICSEARCH_HOST            = var.opensearch_endpoint
    TEMPORAL_ELASTICSEARCH_INDEX           = var.visibility_index_name
    TEMPORAL_ELASTICSEARCH_PORT            = tostring(module.topology.ports.visibility.https)
    TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING = "true"
    TEMPORAL_ELASTICSEARCH_SCHEME          = "https"
    TEMPORAL_ELASTICSEARCH_VERSION         = "v7"

    TEMPORAL_SQL_DATABASE              = "postgres"
    TEMPORAL_SQL_HOST                  = var.dsql_endpoint
    TEMPORAL_SQL_MAX_CONNS             = tostring(var.max_conns)
    TEMPORAL_SQL_MAX_CONN_LIFETIME     = "50m"
    TEMPORAL_SQL_MAX_IDLE_CONNS        = tostring(var.max_conns)
    TEMPORAL_SQL_PLUGIN_NAME           = "dsql"
    TEMPORAL_SQL_PORT                  = tostring(module.topology.ports.database.postgresql)
    TEMPORAL_SQL_TLS_ENABLED           = "true"
    TEMPORAL_SQL_TLS_HOST_VERIFICATION = "true"
    TEMPORAL_SQL_USER                  = "admin"
  }

  _dsql_environment = {
    # The plugin reads both, the lease client only AWS_REGION.
    AWS_REGION                       = var.region
    REGION                           = var.region
    CLUSTER_ENDPOINT                 = var.dsql_endpoint
    DSQL_CONNECTION_BURST_LIMIT      = tostring(var.connection_burst_limit)
    DSQL_CONNECTION_RATE_LIMIT       = tostring(var.connection_rate_limit)
    DSQL_STAGGERED_STARTUP           = tostring(var.staggered_startup_seconds > 0)
    DSQL_STAGGERED_STARTUP_MAX_DELAY = "${max(var.staggered_startup_seconds, 1)}s"
  }

  _rate_limiter_environment = {
    DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED = "true"
    DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT   = tostring(var.rate_limiter_limit)
    DSQL_DISTRIBUTED_RATE_LIMITER_TABLE   = var.rate_limiter_table
  }

  _reservoir_environment = {
    DSQL_RESERVOIR_BASE_LIFETIME        = "${var.reservoir.base_lifetime_seconds}s"
    DSQL_RESERVOIR_ENABLED              = "true"
    DSQL_RESERVOIR_GUARD_WINDOW         = "${var.reservoir.guard_window_seconds}s"
    DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT = "${var.reservoir.initial_fill_timeout_seconds}s"
    DSQL_RESERVOIR_LIFETIME_JITTER      = "${var.reservoir.lifetime_jitter_seconds}s"
    DSQL_RESERVOIR_LOW_WATERMARK        = tostring(var.reservoir.low_watermark)
    DSQL_RESERVOIR_TARGET_READY         = tostring(var.reservoir.target_ready)
  }

  _lease_environment = {
    DSQL_DISTRIBUTED_CONN_LEASE_ENABLED = "true"
    DSQL_DISTRIBUTED_CONN_LEASE_TABLE   = var.conn_lease_table
    DSQL_DISTRIBUTED_CONN_LIMIT         = tostring(var.distributed_conn_limit)
  }
}
