output "name_servers" {
  description = "What the registrar is told."
  value       = cloudflare_zone.this.name_servers
}

output "operators_audience" {
  description = "operators.audience in charts/localplus: the services take tokens of this application alone."
  value       = cloudflare_zero_trust_access_application.this["operators"].aud
}

output "tunnel_token" {
  description = "aws secretsmanager put-secret-value --secret-id localplus/bootstrap/cloudflared …"
  value       = data.cloudflare_zero_trust_tunnel_cloudflared_token.this.token
  sensitive   = true
}

output "origin_certificate" {
  description = "Goes beside its key into localplus/bootstrap/origin-certificate."
  value       = cloudflare_origin_ca_certificate.gateway.certificate
}
