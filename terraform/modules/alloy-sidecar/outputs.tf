output "init_container_definition" {
  description = "Container definition of the container that writes the configuration and ends, an object for jsonencode."
  value       = local._init
}

output "sidecar_container_definition" {
  description = "Container definition of Alloy, an object for jsonencode."
  value       = local._sidecar
}

output "ssm_parameter_name" {
  description = "Parameter with the configuration."
  value       = aws_ssm_parameter.this.name
}

output "ssm_parameter_arn" {
  description = "ARN of the parameter; the execution role reads it."
  value       = aws_ssm_parameter.this.arn
}

output "volumes" {
  description = "Names of the volumes that the task needs."
  value       = concat([local._configuration_volume], local._logs_enabled ? [local._log_volume] : [])
}

output "main_container_mount_points" {
  description = "Mount points of the container beside it."
  value = local._logs_enabled ? [
    { sourceVolume = local._log_volume, containerPath = var.log_directory, readOnly = false },
  ] : []
}

output "main_container_environment" {
  description = "Environment of the container beside it: the file to which it writes its output as well."
  value       = local._logs_enabled ? { TEMPORAL_LOG_FILE = local._log_file } : {}
}

output "configuration" {
  description = "The configuration as Alloy gets it."
  value       = local._configuration
}
