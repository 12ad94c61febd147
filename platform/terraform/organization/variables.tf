variable "management_account_id" {
  description = "The account that pays and holds nothing else, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.management_account_id))
    error_message = "management_account_id has 12 digits."
  }
}

variable "email_domain" {
  description = "Each account has an address of its own there: aws-<account>@<domain>, mailboxes that exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.email_domain))
    error_message = "email_domain is a domain."
  }
}

variable "region" {
  description = "Home of Control Tower."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = startswith(var.region, "eu-")
    error_message = "region starts with eu-."
  }
}

variable "regions" {
  description = "Where anything may run at all. us-east-1 is in no list: global services are exempt one by one."
  type        = list(string)
  default     = ["eu-west-1"]

  validation {
    condition     = length(var.regions) > 0 && alltrue([for r in var.regions : startswith(r, "eu-")])
    error_message = "Personal data stays in the EU."
  }
}

variable "log_retention_days" {
  description = "CloudTrail and Config records in the log archive."
  type        = number
  default     = 365

  validation {
    condition     = var.log_retention_days >= 365
    error_message = "PCI DSS asks for 12 months."
  }
}
