# Route 53 takes no zone transfer (AXFR), so the same file of records writes both. The registrar names Cloudflare's
# servers; naming these instead is the switch, by hand (README).
resource "aws_route53_zone" "this" {
  name    = var.domain
  comment = "Stands by for Cloudflare"

  lifecycle {
    prevent_destroy = true
  }
}

locals {
  written = yamldecode(file("${path.module}/../records.yaml"))
  tunnel  = var.failover_host == "" ? "${var.tunnel_id}.cfargotunnel.com" : var.failover_host

  values = {
    for r in local.written : "${r.type}-${r.name}" => {
      name = r.name == "@" ? var.domain : "${r.name}.${var.domain}"
      type = r.type
      content = lookup({
        tunnel = local.tunnel
        mail   = "${lookup(r, "priority", 10)} ${var.mail.mx}"
        spf    = var.mail.spf
      }, r.content, r.content)
    }
    # No CNAME can stand at a zone's own name; that one is an alias and needs a load balancer.
    if !(r.type == "CNAME" && r.name == "@")
  }
}

resource "aws_route53_record" "this" {
  for_each = local.values

  zone_id = aws_route53_zone.this.zone_id
  name    = each.value.name
  type    = each.value.type
  ttl     = 60
  records = [each.value.content]
}

# Says from outside whether Cloudflare's edge answers for the API. Whether the API itself does is asked with a key, by the
# probes in the cluster: no endpoint is open to everybody.
resource "aws_route53_health_check" "api" {
  fqdn              = "api.${var.domain}"
  port              = 443
  type              = "TCP"
  request_interval  = 30
  failure_threshold = 3
  measure_latency   = true
  tags              = { Name = "api.${var.domain}" }
}

resource "aws_sns_topic" "oncall" {
  provider = aws.global

  name              = "localplus-edge"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_cloudwatch_metric_alarm" "api" {
  provider = aws.global

  alarm_name          = "localplus-api-from-outside"
  alarm_description   = "Runbook: dns-failover"
  namespace           = "AWS/Route53"
  metric_name         = "HealthCheckStatus"
  dimensions          = { HealthCheckId = aws_route53_health_check.api.id }
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.oncall.arn]
}

output "name_servers" {
  description = "What the registrar is told when Cloudflare is down."
  value       = aws_route53_zone.this.name_servers
}
