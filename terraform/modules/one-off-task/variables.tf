variable "project_name" {
  description = "Prefix of every name."
  type        = string
}

variable "name" {
  description = "What stands after the project's name: of the task, its container, its log and its security group."
  type        = string
}

variable "description" {
  description = "What its security group is of."
  type        = string
}

variable "region" {
  description = "Region of everything here."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the task."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the task: what its container may do."
  type        = string
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the task."
  type        = string
}

variable "image" {
  description = "Image of the container."
  type        = string
}

variable "entry_point" {
  description = "What the container runs."
  type        = list(string)
  default     = ["dsql-deploy"]
}

variable "command" {
  description = "Its arguments, where whoever runs the task gives none."
  type        = list(string)
}

variable "environment" {
  description = "Variables of the container besides AWS_REGION."
  type        = map(string)
  default     = {}
}

variable "cpu" {
  description = "CPU units of the task; 1024 are a vCPU."
  type        = number
  default     = 256
}

variable "memory" {
  description = "MiB of the task, of those that Fargate has for its CPU."
  type        = number
  default     = 512
}

variable "log_retention_days" {
  description = "Days that the log is kept."
  type        = number
  default     = 7
}

variable "kms_key_arn" {
  description = "Key of the log group; null for one that AWS owns."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
