output "capacity_provider_name" {
  description = "Capacity provider, to be attached to the cluster and named by services."
  value       = aws_ecs_capacity_provider.this.name
}

output "asg_name" {
  description = "Auto Scaling group of the instances."
  value       = aws_autoscaling_group.this.name
}

output "asg_arn" {
  description = "ARN of the Auto Scaling group."
  value       = aws_autoscaling_group.this.arn
}

output "instance_security_group_id" {
  description = "Security group of the instances, without rules. Tasks do not wear it."
  value       = aws_security_group.instances.id
}

output "instance_role_arn" {
  description = "Role of the instances."
  value       = aws_iam_role.instance.arn
}

output "instance_role_name" {
  description = "Name of the role of the instances."
  value       = aws_iam_role.instance.name
}

output "instance_profile_arn" {
  description = "Instance profile of that role."
  value       = aws_iam_instance_profile.this.arn
}

output "launch_template_id" {
  description = "Launch template of the instances."
  value       = aws_launch_template.this.id
}

output "instance_count" {
  description = "Instances at creation."
  value       = var.instance_count
}
