variable "account_id" {
  description = "The account shared-services, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "region" {
  description = "Of the provider; the zone itself has none."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = startswith(var.region, "eu-")
    error_message = "region starts with eu-."
  }
}

variable "domain" {
  description = "Our public domain, the zone."
  type        = string
  default     = "localplus.io"
}

variable "tunnel_id" {
  description = "Cloudflare's tunnel, an output of cloudflare."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f-]{36}$", var.tunnel_id))
    error_message = "tunnel_id is a UUID."
  }
}

variable "failover_host" {
  description = "A load balancer that was put up because Cloudflare is down (runbook dns-failover); empty: none, the tunnel stays."
  type        = string
  default     = ""
}

variable "mail" {
  description = "The mail provider's MX host and SPF record, as in cloudflare."
  type        = object({ mx = string, spf = string })
}
