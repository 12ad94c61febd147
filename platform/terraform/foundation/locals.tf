locals {
  name = "localplus-${var.environment}"

  tags = {
    Project     = "localplus"
    Environment = var.environment
    Owner       = "platform"
    DataClass   = "confidential"
    ManagedBy   = "terraform"
  }

  zones = slice(sort(data.aws_availability_zones.open.names), 0, 3)

  # x.0.0/20 for workloads, x.16.0/20 for data, x.32.0/20 for what faces the internet (NAT, nothing else).
  tiers = {
    workload = cidrsubnet(var.vpc_cidr, 4, 0)
    data     = cidrsubnet(var.vpc_cidr, 4, 1)
    public   = cidrsubnet(var.vpc_cidr, 4, 2)
  }

  subnets = merge([
    for tier, cidr in local.tiers : {
      for i, zone in local.zones : "${tier}-${i}" => { tier = tier, zone = zone, cidr = cidrsubnet(cidr, 2, i), index = i }
    }
  ]...)

  nat_count = var.nat_per_zone ? length(local.zones) : 1
}

data "aws_availability_zones" "open" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}
