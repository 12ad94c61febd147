variable "account_id" {
  description = "The account shared-services, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "organization_arn" {
  description = "arn:aws:organizations::…:organization/o-…; the hub is shared within it."
  type        = string

  validation {
    condition     = startswith(var.organization_arn, "arn:aws:organizations::")
    error_message = "organization_arn is the ARN of an organization."
  }
}

variable "organization_id" {
  description = "o-…; its accounts may pull images."
  type        = string

  validation {
    condition     = can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }
}

variable "region" {
  description = "Where images and artifacts are."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = startswith(var.region, "eu-")
    error_message = "region starts with eu-."
  }
}
