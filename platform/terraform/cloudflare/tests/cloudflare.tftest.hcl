mock_provider "cloudflare" {
  mock_resource "cloudflare_zero_trust_tunnel_cloudflared" {
    defaults = { id = "00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  account_id           = "00000000000000000000000000000000"
  mail                 = { mx = "mx.example.com", spf = "v=spf1 include:spf.example.com -all" }
  github               = { organization = "localplus", team = "platform", admins = "operators", client_id = "example" }
  github_client_secret = "example"
  origin_csr           = "-----BEGIN CERTIFICATE REQUEST-----"
  alert_mail           = "platform@example.com"
}

run "records" {
  command = apply

  assert {
    condition = { for k, r in cloudflare_dns_record.this : k => "${r.name} ${r.proxied}" } == {
      "CNAME-@"       = "localplus.io true"
      "CNAME-www"     = "www.localplus.io true"
      "CNAME-api"     = "api.localplus.io true"
      "CNAME-grafana" = "grafana.localplus.io true"
      "CNAME-argocd"  = "argocd.localplus.io true"
      "TXT-@"         = "localplus.io false"
      "TXT-_dmarc"    = "_dmarc.localplus.io false"
      "MX-@"          = "localplus.io false"
    }
    error_message = "The seed's eight records."
  }
  assert {
    condition     = alltrue([for k in ["CNAME-@", "CNAME-api", "CNAME-grafana", "CNAME-argocd"] : cloudflare_dns_record.this[k].content == "00000000-0000-0000-0000-000000000000.cfargotunnel.com"])
    error_message = "What is public goes through the tunnel."
  }
  assert {
    condition     = startswith(cloudflare_dns_record.this["TXT-_dmarc"].content, "\"v=DMARC1; p=reject") && cloudflare_dns_record.this["MX-@"].priority == 10
    error_message = "Nobody sends mail in our name."
  }
  assert {
    condition     = cloudflare_zone_dnssec.this.status == "active"
    error_message = "DNSSEC is on."
  }
}

run "tls" {
  command = apply

  assert {
    condition     = { for k, s in cloudflare_zone_setting.this : k => s.value } == { ssl = "strict", min_tls_version = "1.2", tls_1_3 = "on", always_use_https = "on", automatic_https_rewrites = "on" }
    error_message = "The seed's TLS settings."
  }
  assert {
    condition     = cloudflare_zone_setting.hsts.value.strict_transport_security.max_age == 31536000 && cloudflare_zone_setting.hsts.value.strict_transport_security.enabled
    error_message = "HSTS for a year."
  }
  assert {
    condition     = cloudflare_origin_ca_certificate.gateway.requested_validity == 15 * 365
    error_message = "The origin's certificate is valid for 15 years."
  }
}

run "tunnel" {
  command = apply

  assert {
    condition     = [for i in cloudflare_zero_trust_tunnel_cloudflared_config.this.config.ingress : i.hostname if i.hostname != null] == ["api.localplus.io", "argocd.localplus.io", "grafana.localplus.io"]
    error_message = "Three hosts go into the cluster."
  }
  assert {
    condition     = reverse(cloudflare_zero_trust_tunnel_cloudflared_config.this.config.ingress)[0].service == "http_status:404" && reverse(cloudflare_zero_trust_tunnel_cloudflared_config.this.config.ingress)[0].hostname == null
    error_message = "The last rule takes everything else."
  }
  assert {
    condition     = alltrue([for i in cloudflare_zero_trust_tunnel_cloudflared_config.this.config.ingress : try(i.origin_request.no_tls_verify, null) != true])
    error_message = "The origin's certificate is checked."
  }
}

run "access" {
  command = apply

  assert {
    condition     = { for k, a in cloudflare_zero_trust_access_application.this : k => a.domain } == { grafana = "grafana.localplus.io", argocd = "argocd.localplus.io", operators = "api.localplus.io/ops" }
    error_message = "Three applications."
  }
  assert {
    condition     = { for k, p in cloudflare_zero_trust_access_policy.this : k => "${p.include[0].github_organization.team} ${length(p.require)}" } == { grafana = "platform 0", argocd = "platform 0", operators = "operators 1" }
    error_message = "The team signs in by GitHub; who administers money, with a second factor too."
  }
  assert {
    condition     = cloudflare_zero_trust_access_policy.this["operators"].require[0].auth_method.auth_method == "mfa"
    error_message = "A second factor."
  }
}

run "free" {
  command = apply

  assert {
    condition     = length(cloudflare_ruleset.managed) == 0 && length(cloudflare_ruleset.custom.rules) == 1
    error_message = "Free: Cloudflare's own managed rules, and no rule with an empty list."
  }
  assert {
    condition     = cloudflare_ruleset.ratelimit.rules[0].ratelimit.period == 10 && cloudflare_ruleset.ratelimit.rules[0].ratelimit.requests_per_period == 17 && cloudflare_ruleset.ratelimit.rules[0].action == "block"
    error_message = "Free: 17 requests in 10 seconds, then 429."
  }
  assert {
    condition     = !cloudflare_ruleset.cache.rules[0].action_parameters.cache && strcontains(cloudflare_ruleset.cache.rules[0].expression, "api.localplus.io") && cloudflare_tiered_cache.this.value == "on"
    error_message = "What the API says is never kept."
  }
}

run "enterprise" {
  command = apply

  variables {
    plan              = "enterprise"
    blocked_countries = ["KP"]
    blocked_networks  = [64496]
  }
  assert {
    condition     = [for r in cloudflare_ruleset.managed[0].rules : r.description] == ["Cloudflare Managed", "OWASP Core"]
    error_message = "Both managed sets run."
  }
  assert {
    condition     = length(cloudflare_ruleset.custom.rules) == 5 && contains([for r in cloudflare_ruleset.custom.rules : r.expression], "ip.src.country in {\"KP\"}") && contains([for r in cloudflare_ruleset.custom.rules : r.expression], "ip.src.asnum in {64496}")
    error_message = "All custom rules."
  }
  assert {
    condition     = cloudflare_ruleset.ratelimit.rules[0].ratelimit.period == 60 && cloudflare_ruleset.ratelimit.rules[0].ratelimit.requests_per_period == 100
    error_message = "100 requests a minute."
  }
}

run "refuses_mail_from_anybody" {
  command = plan

  variables {
    mail = { mx = "mx.example.com", spf = "v=spf1 +all" }
  }
  expect_failures = [var.mail]
}
