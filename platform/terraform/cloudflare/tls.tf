locals {
  settings = {
    ssl                      = "strict"
    min_tls_version          = "1.2"
    tls_1_3                  = "on"
    always_use_https         = "on"
    automatic_https_rewrites = "on"
  }
}

resource "cloudflare_zone_setting" "this" {
  for_each = local.settings

  zone_id    = cloudflare_zone.this.id
  setting_id = each.key
  value      = each.value
}

resource "cloudflare_zone_setting" "hsts" {
  zone_id    = cloudflare_zone.this.id
  setting_id = "security_header"

  value = {
    strict_transport_security = {
      enabled            = true
      max_age            = 31536000
      include_subdomains = true
      preload            = false
      nosniff            = true
    }
  }
}

# 15 years: what Cloudflare trusts between its edge and the gateway.
resource "cloudflare_origin_ca_certificate" "gateway" {
  csr                = var.origin_csr
  hostnames          = [var.domain, "*.${var.domain}"]
  request_type       = "origin-ecc"
  requested_validity = 5475
}
