# Names inside the VPC; pods keep CoreDNS for services of the cluster.
resource "aws_route53_zone" "internal" {
  name    = "internal.localplus.io"
  comment = "${local.name}, inside the VPC alone"

  vpc {
    vpc_id = aws_vpc.this.id
  }
}
