resource "cloudflare_zero_trust_tunnel_cloudflared" "this" {
  account_id = var.account_id
  name       = "localplus-prod"
  config_src = "cloudflare"
}

# Goes into Secrets Manager by hand of the pipeline (localplus/bootstrap/cloudflared), from there by External Secrets.
data "cloudflare_zero_trust_tunnel_cloudflared_token" "this" {
  account_id = var.account_id
  tunnel_id  = cloudflare_zero_trust_tunnel_cloudflared.this.id
}

resource "cloudflare_zero_trust_tunnel_cloudflared_config" "this" {
  account_id = var.account_id
  tunnel_id  = cloudflare_zero_trust_tunnel_cloudflared.this.id

  config = {
    ingress = concat(
      [for host, service in var.origins : {
        hostname = "${host}.${var.domain}"
        service  = service
        # The gateway shows the origin certificate, which names the public host and which cloudflared is given the root of.
        origin_request = startswith(service, "https://") ? {
          origin_server_name = "${host}.${var.domain}"
          ca_pool            = "/etc/cloudflared/origin-ca.pem"
          connect_timeout    = 5
        } : { connect_timeout = 5 }
      }],
      # No other host is anybody's.
      [{ service = "http_status:404" }],
    )
  }
}
