variable "account_id" {
  description = "The Cloudflare account, 32 hexadecimal digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.account_id))
    error_message = "account_id has 32 hexadecimal digits."
  }
}

variable "domain" {
  description = "Our public domain, the zone."
  type        = string
  default     = "localplus.io"
}

variable "plan" {
  description = "What Cloudflare is paid for. free: its own managed rules, five custom rules, one rate limit over 10 s; pro: OWASP's rules besides and a limit per minute; enterprise: bot scores too."
  type        = string
  default     = "free"

  validation {
    condition     = contains(["free", "pro", "enterprise"], var.plan)
    error_message = "plan is free, pro or enterprise."
  }
}

variable "origins" {
  description = "Where the tunnel takes each host, as cloudflared sees it in the cluster."
  type        = map(string)
  default = {
    api     = "https://cilium-gateway-localplus-gateway.localplus:443"
    grafana = "http://grafana.observability:80"
    argocd  = "http://argocd-server.argocd:80"
  }
}

variable "mail" {
  description = "The mail provider's MX host and SPF record."
  type        = object({ mx = string, spf = string })

  validation {
    condition     = startswith(var.mail.spf, "v=spf1 ") && endswith(var.mail.spf, " -all")
    error_message = "The SPF record starts with v=spf1 and ends with -all."
  }
}

variable "blocked_countries" {
  description = "ISO codes of countries nobody may come from; empty: no such rule."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.blocked_countries : can(regex("^[A-Z]{2}$", c))])
    error_message = "blocked_countries are two capital letters each."
  }
}

variable "blocked_networks" {
  description = "Numbers of networks (ASN) nobody may come from; empty: no such rule."
  type        = list(number)
  default     = []
}

variable "github" {
  description = "The OAuth application that signs the team in, and the organization and teams that may."
  type = object({
    organization = string
    team         = string
    admins       = string
    client_id    = string
  })
}

variable "github_client_secret" {
  description = "Of that application; TF_VAR_github_client_secret."
  type        = string
  sensitive   = true
}

variable "origin_csr" {
  description = "Certificate request (PEM) for the origin's certificate. Its key is made where it is used and never comes here."
  type        = string

  validation {
    condition     = startswith(var.origin_csr, "-----BEGIN CERTIFICATE REQUEST-----")
    error_message = "origin_csr is a PEM certificate request."
  }
}

variable "alert_mail" {
  description = "Who hears of attacks and of a tunnel that is down."
  type        = string
}
