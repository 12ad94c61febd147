resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = local.name }
}

# Whatever is put into the default group by mistake can talk to nobody.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false
  tags                    = { Name = "${local.name}-${each.key}", Tier = each.value.tier }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = local.name }
}

resource "aws_eip" "nat" {
  count = local.nat_count

  domain = "vpc"
  tags   = { Name = "${local.name}-nat-${count.index}" }
}

resource "aws_nat_gateway" "this" {
  count = local.nat_count

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.this["public-${count.index}"].id
  tags          = { Name = "${local.name}-${count.index}" }
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "this" {
  for_each = local.subnets

  vpc_id = aws_vpc.this.id
  tags   = { Name = "${local.name}-${each.key}" }
}

resource "aws_route_table_association" "this" {
  for_each = local.subnets

  subnet_id      = aws_subnet.this[each.key].id
  route_table_id = aws_route_table.this[each.key].id
}

# Nothing comes in this way: no load balancer stands here, Cloudflare's tunnel is dialled from the inside.
resource "aws_route" "internet" {
  for_each = { for key, subnet in local.subnets : key => subnet if subnet.tier == "public" }

  route_table_id         = aws_route_table.this[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

# The data subnets have no way to the internet at all.
resource "aws_route" "nat" {
  for_each = { for key, subnet in local.subnets : key => subnet if subnet.tier == "workload" }

  route_table_id         = aws_route_table.this[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[min(each.value.index, local.nat_count - 1)].id
}

resource "aws_vpc_peering_connection_accepter" "aiven" {
  count = var.aiven_peering_connection_id == "" ? 0 : 1

  vpc_peering_connection_id = var.aiven_peering_connection_id
  auto_accept               = true
  tags                      = { Name = "${local.name}-aiven" }
}

resource "aws_route" "aiven" {
  for_each = {
    for key, subnet in local.subnets : key => subnet
    if subnet.tier == "workload" && var.aiven_peering_connection_id != ""
  }

  route_table_id            = aws_route_table.this[each.key].id
  destination_cidr_block    = var.aiven_cidr
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.aiven[0].id
}

resource "aws_ec2_transit_gateway_vpc_attachment" "hub" {
  count = var.transit_gateway_id == "" ? 0 : 1

  transit_gateway_id = var.transit_gateway_id
  vpc_id             = aws_vpc.this.id
  subnet_ids         = [for key, subnet in local.subnets : aws_subnet.this[key].id if subnet.tier == "data"]
  tags               = { Name = local.name }
}
