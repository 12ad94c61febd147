mock_provider "aws" {}

mock_provider "aws" {
  alias = "global"
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:000000000000:example" }
  }
}

variables {
  account_id = "000000000000"
  tunnel_id  = "00000000-0000-0000-0000-000000000000"
  mail       = { mx = "mx.example.com", spf = "v=spf1 include:spf.example.com -all" }
}

run "same_records" {
  command = plan

  assert {
    condition     = length(aws_route53_record.this) == 7 && !contains(keys(aws_route53_record.this), "CNAME-@")
    error_message = "Every record but the one that no zone can have."
  }
  assert {
    condition     = tolist(aws_route53_record.this["CNAME-api"].records) == tolist(["00000000-0000-0000-0000-000000000000.cfargotunnel.com"]) && tolist(aws_route53_record.this["MX-@"].records) == tolist(["10 mx.example.com"])
    error_message = "They say what Cloudflare's say."
  }
}

run "watched" {
  command = plan

  assert {
    condition     = aws_route53_health_check.api.fqdn == "api.localplus.io" && aws_route53_health_check.api.port == 443 && aws_cloudwatch_metric_alarm.api.treat_missing_data == "breaching"
    error_message = "Somebody hears of it when the edge does not answer."
  }
}

run "switched" {
  command = plan

  variables {
    failover_host = "lb.example.com"
  }
  assert {
    condition     = tolist(aws_route53_record.this["CNAME-api"].records) == tolist(["lb.example.com"])
    error_message = "The load balancer takes the tunnel's place."
  }
}
