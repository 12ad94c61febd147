variable "environment" {
  description = "Which of the three workload accounts this is."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "account_id" {
  description = "The workload account, 12 digits; a plan against any other account stops."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "organization_id" {
  description = "The AWS organization, o-…; the VPC endpoints serve its principals alone."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }
}

variable "region" {
  description = "Where everything runs. Personal data stays in the EU."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = startswith(var.region, "eu-")
    error_message = "Personal data stays in the EU: region starts with eu-."
  }
}

variable "vpc_cidr" {
  description = "The VPC's /16: 10.0 for prod, 10.1 for staging, 10.2 for dev."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, ".0.0/16")
    error_message = "vpc_cidr is a /16."
  }
}

variable "aiven_cidr" {
  description = "The /24 of Aiven's VPC, the one network beyond the VPC that services reach directly."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.aiven_cidr)) && endswith(var.aiven_cidr, "/24")
    error_message = "aiven_cidr is a /24."
  }
}

variable "aiven_peering_connection_id" {
  description = "pcx-…, an output of data-aiven. Empty before that root was applied for the first time."
  type        = string
  default     = ""

  validation {
    condition     = var.aiven_peering_connection_id == "" || startswith(var.aiven_peering_connection_id, "pcx-")
    error_message = "aiven_peering_connection_id starts with pcx-."
  }
}

variable "transit_gateway_id" {
  description = "The hub of the shared account, tgw-…; empty: this VPC stays alone."
  type        = string
  default     = ""

  validation {
    condition     = var.transit_gateway_id == "" || startswith(var.transit_gateway_id, "tgw-")
    error_message = "transit_gateway_id starts with tgw-."
  }
}

variable "nat_per_zone" {
  description = "One NAT gateway per zone, so that a zone's end takes nobody else's way out; false: one in all."
  type        = bool
}

variable "kubernetes_version" {
  description = "Minor version of EKS."
  type        = string
  default     = "1.33"

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version is 1.32 or later: the charts use native sidecars."
  }
}

variable "node_pools" {
  description = "Managed node groups. size: fewest, wanted at first, most."
  type = map(object({
    instance_types = list(string)
    capacity       = optional(string, "ON_DEMAND")
    size           = object({ min = number, desired = number, max = number })
    taint          = optional(object({ key = string, value = string, effect = string }))
  }))

  validation {
    condition = alltrue([
      for p in values(var.node_pools) : p.size.min <= p.size.desired && p.size.desired <= p.size.max
    ])
    error_message = "Of each pool min <= desired <= max."
  }
}

variable "administrators" {
  description = "IAM roles (ARNs) that may administer the cluster: the platform team's role of Identity Center."
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex("^arn:aws:iam::[0-9]{12}:role/", arn))])
    error_message = "administrators are ARNs of IAM roles."
  }
}

variable "audit_retention_days" {
  description = "How long nobody can delete an audit record. PCI DSS asks for 12 months."
  type        = number
  default     = 365

  validation {
    condition     = var.audit_retention_days >= 365
    error_message = "Audit records are kept for 365 days or longer."
  }
}
