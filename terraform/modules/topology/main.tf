# Reads topology.json, which the tool and the container entrypoint read too: no port is written twice.

locals {
  _topology = jsondecode(file("${path.module}/../../../src/temporal_dsql_deploy/topology/topology.json"))

  _parties = merge(
    local._topology.roles,
    local._topology.components,
    local._topology.externals,
    local._topology.aws.components,
  )
}
