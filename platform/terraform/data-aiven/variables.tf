variable "environment" {
  description = "dev, staging or prod; a project of Aiven each."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "project" {
  description = "The Aiven project. It is made by hand, with its billing."
  type        = string
}

variable "cloud" {
  description = "Where Aiven runs it: beside the cluster."
  type        = string
  default     = "aws-eu-west-1"

  validation {
    condition     = can(regex("^(aws-eu|google-europe|azure-(west|north)europe)", var.cloud))
    error_message = "Personal data stays in the EU."
  }
}

variable "network_cidr" {
  description = "The /24 of Aiven's VPC: aiven_cidr of foundation and network.dataCidrs of the chart."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.network_cidr)) && endswith(var.network_cidr, "/24")
    error_message = "network_cidr is a /24."
  }
}

variable "aws" {
  description = "The account, VPC (outputs of foundation) and its network that Aiven peers with."
  type        = object({ account_id = string, vpc_id = string, vpc_cidr = string, region = optional(string, "eu-west-1") })

  validation {
    condition     = can(regex("^[0-9]{12}$", var.aws.account_id)) && startswith(var.aws.vpc_id, "vpc-")
    error_message = "account_id has 12 digits, vpc_id starts with vpc-."
  }
}

variable "plans" {
  description = "Size of each service."
  type        = object({ pg = string, kafka = string, valkey = string })
}

variable "replica" {
  description = "A read replica of PostgreSQL beside the standby that the plan has."
  type        = bool
}

variable "kafka" {
  description = "Of each topic: replicas, how many must have a record before it counts, partitions."
  type        = object({ replication = number, min_insync = number, partitions = number })

  validation {
    condition     = var.kafka.replication >= 2 && var.kafka.min_insync >= 1 && var.kafka.min_insync < var.kafka.replication
    error_message = "One broker may be lost and writing goes on: min_insync is less than replication."
  }
}

variable "protected" {
  description = "Nobody deletes a service by mistake: true wherever money is."
  type        = bool
  default     = true
}
