variable "environment" {
  description = "dev, staging or prod; a Vault in each cluster."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment is dev, staging or prod."
  }
}

variable "services" {
  description = "Dapr app ids; each has a policy, a role and a database role of its own."
  type        = list(string)
  default     = ["analytics", "console", "giftcard", "ledger", "merchant", "notification", "wallet"]

  validation {
    condition     = alltrue([for s in var.services : can(regex("^[a-z]+$", s))])
    error_message = "An app id is small letters."
  }
}

variable "namespace" {
  description = "The Kubernetes namespace of all services."
  type        = string
  default     = "localplus"
}

variable "kubernetes_issuer" {
  description = "Output cluster_issuer of foundation."
  type        = string

  validation {
    condition     = startswith(var.kubernetes_issuer, "https://")
    error_message = "kubernetes_issuer is an https address."
  }
}

variable "postgresql" {
  description = "Output of data-aiven."
  type        = object({ host = string, port = number })
}

variable "postgresql_admin" {
  description = "Who sets the other roles' passwords; TF_VAR_postgresql_admin. Vault replaces the password as it takes it over."
  type        = object({ username = string, password = string })
  sensitive   = true
}

variable "rotation_seconds" {
  description = "How long a service's password to its database lives."
  type        = number
  default     = 3600

  validation {
    condition     = var.rotation_seconds >= 300 && var.rotation_seconds <= 86400
    error_message = "Between five minutes and a day."
  }
}
