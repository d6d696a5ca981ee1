variable "project_name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}[a-z0-9]$", var.project_name))
    error_message = "project_name is 2 to 22 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }

  validation {
    condition     = !can(regex("^(aws|ecs|fargate)", var.project_name))
    error_message = "project_name begins the name of a capacity provider, which ECS lets begin with neither aws, ecs nor fargate: choose another name."
  }
}

variable "name" {
  description = "What the instances are for, after project_name in every name: one project may have several groups."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name is 2 to 20 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "cluster_name" {
  description = "ECS cluster that the instances join."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the security group."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one per zone: instances are spread over them."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids is empty: name the private subnets in which instances start."
  }
}

variable "instance_type" {
  description = "Instance type, Graviton only. It decides how many tasks fit by network interfaces as well as by CPU and memory."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*[.](nano|micro|small|medium|large|[0-9]*xlarge|metal(-[0-9]+xl)?)$", var.instance_type))
    error_message = "instance_type is not a Graviton type: all images are arm64. Write a type whose family has a g after its number, such as m7g.large, m8gd.xlarge, c7gn.2xlarge or t4g.medium."
  }
}

variable "instance_count" {
  description = "Instances at creation; ignored afterwards, when ECS decides between min_size and max_size."
  type        = number

  validation {
    condition     = floor(var.instance_count) == var.instance_count && var.instance_count >= var.min_size && var.instance_count <= var.max_size
    error_message = "instance_count is a whole number from min_size (${var.min_size}) to max_size (${var.max_size})."
  }
}

variable "min_size" {
  description = "Fewest instances. With 0 nothing runs while no task is wanted, and the first task waits for an instance to start."
  type        = number

  validation {
    condition     = floor(var.min_size) == var.min_size && var.min_size >= 0
    error_message = "min_size is a whole number, 0 or more."
  }
}

variable "max_size" {
  description = "Most instances: the limit of what ECS may start, and of the bill."
  type        = number

  validation {
    condition     = floor(var.max_size) == var.max_size && var.max_size >= 1
    error_message = "max_size is a whole number, 1 or more: with 0 tasks would wait for ever."
  }
}

variable "volume_size" {
  description = "GiB of the root volume, which holds images, container layers and logs under way. The image itself takes 30."
  type        = number
  default     = 50

  validation {
    condition     = floor(var.volume_size) == var.volume_size && var.volume_size >= 30 && var.volume_size <= 16384
    error_message = "volume_size is a whole number of GiB from 30 (the image of AWS takes that) to 16384."
  }
}

variable "volume_kms_key_arn" {
  description = "Key of the root volume, which the service-linked role of Auto Scaling must be granted; null for the AWS-managed key of EBS."
  type        = string
  default     = null
}

variable "ami_id" {
  description = "Image of the instances; null for the newest ECS-optimised Amazon Linux 2023 of arm64, looked up by EC2 at each launch."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]{8}([0-9a-f]{9})?$", var.ami_id))
    error_message = "ami_id is the id of an image, such as ami-0123456789abcdef0, or null."
  }
}

variable "instance_attributes" {
  description = "Attributes of the instances, for placement constraints such as attribute:workload == history."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for name, value in var.instance_attributes :
      can(regex("^[A-Za-z0-9_./-]{1,128}$", name)) && can(regex("^[A-Za-z0-9_./:@-]{1,128}$", value))
    ])
    error_message = "instance_attributes has names of letters, digits and _ . / -, and values of these, : and @, up to 128 characters each."
  }
}

variable "target_capacity" {
  description = "Percentage of the instances that tasks should fill. 100 keeps none in reserve; 80 starts tasks of a deployment without waiting for an instance."
  type        = number
  default     = 100

  validation {
    condition     = floor(var.target_capacity) == var.target_capacity && var.target_capacity >= 1 && var.target_capacity <= 100
    error_message = "target_capacity is a whole percentage from 1 to 100."
  }
}

variable "instance_warmup_seconds" {
  description = "Seconds until a new instance counts. An ECS instance is ready within one to two minutes; ECS's own 300 makes every step of growth wait longer than it must."
  type        = number
  default     = 120

  validation {
    condition     = floor(var.instance_warmup_seconds) == var.instance_warmup_seconds && var.instance_warmup_seconds >= 0 && var.instance_warmup_seconds <= 10000
    error_message = "instance_warmup_seconds is a whole number from 0 to 10000."
  }
}

variable "session_manager_enabled" {
  description = "Let Session Manager open a shell on the instances, by which a node that joins no cluster is looked at. There is no other way in."
  type        = bool
  default     = true
}

variable "wait_for" {
  description = "Anything that is known only once instances can reach ECS; the group waits for it: a depends_on of this module would make its groups wait too, and rules need those first."
  type        = any
  default     = null
}

variable "permissions_boundary_arn" {
  description = "Boundary of the role of the instances; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags, instances and volumes included."
  type        = map(string)
  default     = {}

  validation {
    condition     = !contains(keys(var.tags), "AmazonECSManaged")
    error_message = "tags must leave AmazonECSManaged to ECS: take it out."
  }
}
