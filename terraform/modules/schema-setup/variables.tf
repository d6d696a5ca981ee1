variable "project_name" {
  description = "Prefix of every name."
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

variable "dsql_cluster_endpoint" {
  description = "Host of the DSQL cluster as it is dialled from inside the VPC."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the task: it may connect to the cluster as admin, and nothing else."
  type        = string
}

variable "execution_role_arn" {
  description = "Role by which ECS starts the task."
  type        = string
}

variable "admin_tools_image" {
  description = "Image with dsql-deploy and the folders of the schema."
  type        = string
}

variable "schema_folder" {
  description = "Folder of the schema in the image."
  type        = string
  default     = "/etc/temporal/schema/dsql/temporal"
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
