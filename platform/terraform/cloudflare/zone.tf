resource "cloudflare_zone" "this" {
  account = { id = var.account_id }
  name    = var.domain
  type    = "full"
}

resource "cloudflare_zone_dnssec" "this" {
  zone_id = cloudflare_zone.this.id
  status  = "active"
}

locals {
  written = yamldecode(file("${path.module}/../records.yaml"))

  records = {
    for record in local.written : "${record.type}-${record.name}" => merge(record, {
      name = record.name == "@" ? var.domain : "${record.name}.${var.domain}"
      content = lookup({
        tunnel = "${cloudflare_zero_trust_tunnel_cloudflared.this.id}.cfargotunnel.com"
        mail   = var.mail.mx
        spf    = "\"${var.mail.spf}\""
      }, record.content, record.type == "TXT" ? "\"${record.content}\"" : record.content)
    })
  }
}

# A CNAME at the zone's own name is flattened: the tunnel has no address that an A record could name.
resource "cloudflare_dns_record" "this" {
  for_each = local.records

  zone_id  = cloudflare_zone.this.id
  name     = each.value.name
  type     = each.value.type
  content  = each.value.content
  proxied  = each.value.proxied
  ttl      = 1
  priority = lookup(each.value, "priority", null)
}
