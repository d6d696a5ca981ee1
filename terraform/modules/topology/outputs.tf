output "roles" {
  description = "The four roles by name: ports, health_service."
  value       = local._topology.roles
}

output "ports" {
  description = "Ports by party and name, such as ports.history.grpc; every role has `metrics` as well."
  value = {
    for name, party in local._parties : name => merge(
      party.ports,
      contains(keys(local._topology.roles), name) ? { metrics = local._topology.metrics.port } : {},
    )
  }
}

output "traffic" {
  description = "Every connection that a firewall must let pass, by \"<from>-to-<to>-<port name>\": objects from, to, port_name, why."
  value = {
    for row in concat(
      [for row in local._topology.traffic : merge(row, { why = row.provoked_by }) if row.needed],
      local._topology.aws.traffic,
      ) : "${row.from}-to-${row.to}-${row.port_name}" => {
      from      = row.from
      to        = row.to
      port_name = row.port_name
      why       = row.why
    }
  }
}

output "apis" {
  description = "AWS APIs that each party calls, by the names of their VPC endpoints."
  value       = local._topology.aws.apis
}

output "start_order" {
  description = "Names of the components in the order in which they start."
  value       = [for step in local._topology.start_order : step.component]
}

output "metrics_port" {
  description = "Port of every role's Prometheus page."
  value       = local._topology.metrics.port
}

output "stop_timeout_seconds" {
  description = "Seconds from SIGTERM to SIGKILL that fit every drain setting."
  value       = local._topology.drain.stop_timeout_seconds
}
