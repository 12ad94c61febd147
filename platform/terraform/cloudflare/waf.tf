locals {
  # Cloudflare's own numbers of its rule sets. On the free plan its free managed rules run without being asked for.
  managed_rulesets = var.plan == "free" ? {} : {
    "Cloudflare Managed" = "efb7b8c949ac4650a09736fc376e9aee"
    "OWASP Core"         = "4814384a9e5d4991b9815dcfc25d2f1f"
  }

  lists = {
    countries = join(" ", [for c in var.blocked_countries : "\"${c}\""])
    networks  = join(" ", [for n in var.blocked_networks : tostring(n)])
  }

  custom_rules = [
    for rule in yamldecode(file("${path.module}/policies/waf-rules.yaml")) : {
      description = rule.name
      action      = rule.action
      enabled     = true
      expression = replace(replace(replace(rule.expression,
      "$${domain}", var.domain), "$${countries}", local.lists.countries), "$${networks}", local.lists.networks)
    } if contains(rule.plans, var.plan) && lookup(local.lists, lookup(rule, "list", ""), "some") != ""
  ]

  # The seed's 100 a minute; the free plan counts over 10 s only, which makes it 17. An API's client cannot solve a
  # challenge, so it is refused (429) and not challenged.
  rate = var.plan == "free" ? { period = 10, requests = 17, timeout = 10 } : { period = 60, requests = 100, timeout = 60 }
}

resource "cloudflare_ruleset" "managed" {
  count = length(local.managed_rulesets) == 0 ? 0 : 1

  zone_id = cloudflare_zone.this.id
  name    = "managed"
  kind    = "zone"
  phase   = "http_request_firewall_managed"

  rules = [for name, id in local.managed_rulesets : {
    description       = name
    action            = "execute"
    expression        = "true"
    enabled           = true
    action_parameters = { id = id }
  }]
}

resource "cloudflare_ruleset" "custom" {
  zone_id = cloudflare_zone.this.id
  name    = "custom"
  kind    = "zone"
  phase   = "http_request_firewall_custom"
  rules   = local.custom_rules

  lifecycle {
    precondition {
      condition     = var.plan != "free" || length(local.custom_rules) <= 5
      error_message = "The free plan takes five custom rules."
    }
  }
}

resource "cloudflare_ruleset" "ratelimit" {
  zone_id = cloudflare_zone.this.id
  name    = "ratelimit"
  kind    = "zone"
  phase   = "http_ratelimit"

  rules = [{
    description = "API, per address"
    action      = "block"
    enabled     = true
    # The free plan's rate limits see paths and nothing else.
    expression = var.plan == "free" ? "starts_with(http.request.uri.path, \"/v1/\")" : "http.host eq \"api.${var.domain}\" and starts_with(http.request.uri.path, \"/v1/\")"

    ratelimit = {
      characteristics     = ["cf.colo.id", "ip.src"]
      period              = local.rate.period
      requests_per_period = local.rate.requests
      mitigation_timeout  = local.rate.timeout
    }
  }]
}

# Known bots are challenged by script; the API's clients run none, and their tokens are what counts.
resource "cloudflare_bot_management" "this" {
  zone_id    = cloudflare_zone.this.id
  fight_mode = false
  enable_js  = true
}

resource "cloudflare_notification_policy" "this" {
  for_each = { dos_attack_l7 = "Attack on the zone", tunnel_health_event = "The tunnel is down" }

  account_id  = var.account_id
  name        = each.value
  alert_type  = each.key
  enabled     = true
  description = each.value
  mechanisms  = { email = [{ id = var.alert_mail }] }
}
