resource "cloudflare_tiered_cache" "this" {
  zone_id = cloudflare_zone.this.id
  value   = "on"
}

# Balances and codes are nobody else's: what the API says is never kept. Of pages only what a build has named is.
resource "cloudflare_ruleset" "cache" {
  zone_id = cloudflare_zone.this.id
  name    = "cache"
  kind    = "zone"
  phase   = "http_request_cache_settings"

  rules = [{
    description       = "API and operators' tools"
    action            = "set_cache_settings"
    expression        = "http.host in {\"api.${var.domain}\" \"grafana.${var.domain}\" \"argocd.${var.domain}\"}"
    enabled           = true
    action_parameters = { cache = false }
    }, {
    description = "Static files"
    action      = "set_cache_settings"
    expression  = "http.host in {\"${var.domain}\" \"www.${var.domain}\"} and http.request.uri.path.extension in {\"js\" \"css\" \"png\" \"jpg\" \"svg\" \"webp\" \"woff2\" \"ico\"}"
    enabled     = true

    action_parameters = {
      cache       = true
      edge_ttl    = { mode = "respect_origin" }
      browser_ttl = { mode = "respect_origin" }
    }
  }]
}
