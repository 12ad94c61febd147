mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1c", "eu-west-1a", "eu-west-1b"] }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn      = "arn:aws:eks:eu-west-1:000000000000:cluster/localplus"
      identity = [{ oidc = [{ issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE" }] }]
    }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::000000000000:role/example" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::000000000000:oidc-provider/example" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::example" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:000000000000:log-group:example" }
  }
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:eu-west-1:000000000000:deliverystream/example" }
  }
  mock_resource "aws_launch_template" {
    defaults = { latest_version = 1, id = "lt-00000000000000000" }
  }
}

variables {
  environment     = "prod"
  account_id      = "000000000000"
  organization_id = "o-example0000"
  vpc_cidr        = "10.0.0.0/16"
  aiven_cidr      = "10.100.0.0/24"
  nat_per_zone    = true
  administrators  = ["arn:aws:iam::000000000000:role/platform"]
  node_pools = {
    platform = {
      instance_types = ["m6i.xlarge"]
      size           = { min = 2, desired = 2, max = 3 }
      taint          = { key = "platform", value = "true", effect = "NO_SCHEDULE" }
    }
    application = {
      instance_types = ["m6i.large"]
      size           = { min = 2, desired = 3, max = 10 }
    }
    spot = {
      instance_types = ["m6i.large"]
      capacity       = "SPOT"
      size           = { min = 0, desired = 0, max = 5 }
      taint          = { key = "spot", value = "true", effect = "PREFER_NO_SCHEDULE" }
    }
  }
}

run "network" {
  command = apply

  assert {
    condition     = { for k, s in aws_subnet.this : k => s.cidr_block if startswith(k, "workload") } == { "workload-0" = "10.0.0.0/22", "workload-1" = "10.0.4.0/22", "workload-2" = "10.0.8.0/22" }
    error_message = "Workloads have 10.0.0.0/20, a /22 in each zone."
  }
  assert {
    condition     = aws_subnet.this["data-0"].cidr_block == "10.0.16.0/22" && aws_subnet.this["public-2"].cidr_block == "10.0.40.0/22"
    error_message = "Data has x.16.0/20, the public tier x.32.0/20."
  }
  assert {
    condition     = aws_subnet.this["workload-0"].availability_zone == "eu-west-1a" && length(aws_subnet.this) == 9
    error_message = "Three tiers in three zones, in the order of their names."
  }
  assert {
    condition     = !anytrue([for s in aws_subnet.this : s.map_public_ip_on_launch])
    error_message = "Nobody gets a public address by itself."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.nat) == 3 && length(aws_route.internet) == 3
    error_message = "In prod each zone has its own way out."
  }
  assert {
    condition     = !anytrue([for k in concat(keys(aws_route.nat), keys(aws_route.internet)) : startswith(k, "data")])
    error_message = "The data subnets have no way to the internet."
  }
  assert {
    condition     = length(aws_vpc_peering_connection_accepter.aiven) == 0 && length(aws_route.aiven) == 0
    error_message = "Before data-aiven was applied there is nothing to accept."
  }
  assert {
    condition     = sort(keys(aws_vpc_endpoint.interface)) == tolist(["ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"]) && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3, KMS, ECR, STS, Secrets Manager and logs are reached without the internet."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == "10.0.0.0/20" && aws_vpc_security_group_ingress_rule.endpoints.from_port == 443
    error_message = "The endpoints answer workloads on 443 and nobody else."
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The default security group is closed."
  }
}

run "peering" {
  command = apply

  variables {
    aiven_peering_connection_id = "pcx-00000000000000000"
    transit_gateway_id          = "tgw-00000000000000000"
  }
  assert {
    condition     = alltrue([for k, r in aws_route.aiven : startswith(k, "workload") && r.destination_cidr_block == "10.100.0.0/24"]) && length(aws_route.aiven) == 3
    error_message = "Workloads, and they alone, reach Aiven's network."
  }
  assert {
    condition     = length(aws_ec2_transit_gateway_vpc_attachment.hub[0].subnet_ids) == 3
    error_message = "The hub is attached in three zones."
  }
}

run "cluster" {
  command = apply

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API server is private."
  }
  assert {
    condition     = toset(aws_eks_cluster.this.enabled_cluster_log_types) == toset(["api", "audit", "authenticator", "controllerManager", "scheduler"])
    error_message = "All five logs are on."
  }
  assert {
    condition     = contains(aws_eks_cluster.this.encryption_config[0].resources, "secrets") && !aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "Secrets are encrypted, and Cilium is the network."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Access entries, and no hidden administrator."
  }
  assert {
    condition     = { for k, g in aws_eks_node_group.this : k => "${g.instance_types[0]} ${g.capacity_type} ${g.scaling_config[0].min_size}-${g.scaling_config[0].max_size}" } == { platform = "m6i.xlarge ON_DEMAND 2-3", application = "m6i.large ON_DEMAND 2-10", spot = "m6i.large SPOT 0-5" }
    error_message = "The seed's three pools."
  }
  assert {
    condition     = alltrue([for g in aws_eks_node_group.this : contains([for t in g.taint : t.key], "node.cilium.io/agent-not-ready")])
    error_message = "No pod starts before Cilium."
  }
  assert {
    condition     = { for t in aws_eks_node_group.this["platform"].taint : t.key => t.effect if t.key == "platform" } == { platform = "NO_SCHEDULE" } && { for t in aws_eks_node_group.this["spot"].taint : t.key => t.effect if t.key == "spot" } == { spot = "PREFER_NO_SCHEDULE" }
    error_message = "The seed's taints."
  }
  assert {
    condition     = alltrue([for t in aws_launch_template.node : t.metadata_options[0].http_tokens == "required" && t.metadata_options[0].http_put_response_hop_limit == 1 && tobool(t.block_device_mappings[0].ebs[0].encrypted)])
    error_message = "Nodes ask for a token (IMDSv2) and encrypt their disks."
  }
}

run "keys_and_buckets" {
  command = apply

  assert {
    condition     = sort(keys(aws_kms_key.this)) == tolist(["ebs", "eks", "logs", "s3", "vault-unseal"]) && alltrue([for k in aws_kms_key.this : k.enable_key_rotation && k.deletion_window_in_days == 30])
    error_message = "Five keys that rotate."
  }
  assert {
    condition     = aws_s3_bucket.this["audit"].object_lock_enabled && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days == 365
    error_message = "Nobody can delete an audit record for a year."
  }
  assert {
    condition     = { for k, l in aws_s3_bucket_lifecycle_configuration.this : k => l.rule[0].expiration[0].days } == { audit = 365, thanos = 365, loki = 30, tempo = 7 }
    error_message = "The seed's retentions."
  }
  assert {
    condition     = alltrue([for b in aws_s3_bucket_public_access_block.this : b.block_public_acls && b.block_public_policy && b.ignore_public_acls && b.restrict_public_buckets]) && length(aws_s3_bucket_public_access_block.this) == length(aws_s3_bucket.this)
    error_message = "No bucket can be made public."
  }
  assert {
    condition     = alltrue([for b in aws_s3_bucket_server_side_encryption_configuration.this : one(b.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"])
    error_message = "Every bucket is encrypted by our key."
  }
  assert {
    condition     = alltrue([for p in aws_s3_bucket_policy.this : jsondecode(p.policy).Statement[0].Effect == "Deny" && jsondecode(p.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "Without TLS no bucket answers."
  }
  assert {
    condition     = alltrue([for g in [aws_cloudwatch_log_group.cluster, aws_cloudwatch_log_group.fallback] : g.retention_in_days == 7 && g.kms_key_id != null])
    error_message = "CloudWatch keeps 7 days, encrypted."
  }
  assert {
    condition     = aws_flow_log.vpc.traffic_type == "ALL" && aws_flow_log.vpc.log_destination_type == "s3"
    error_message = "All flows are logged into the audit bucket."
  }
}

run "roles" {
  command = apply

  assert {
    condition = {
      for k, r in aws_iam_role.irsa : k => jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub"]
      } == {
      vault              = "system:serviceaccount:vault:vault"
      external-secrets   = "system:serviceaccount:external-secrets:external-secrets"
      cluster-autoscaler = "system:serviceaccount:kube-system:cluster-autoscaler"
      cloudwatch         = "system:serviceaccount:observability:otel-gateway"
      thanos             = "system:serviceaccount:observability:thanos"
      loki               = "system:serviceaccount:observability:loki"
      tempo              = "system:serviceaccount:observability:tempo"
      ebs-csi            = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
    }
    error_message = "A role belongs to one service account."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.irsa["external-secrets"].policy).Statement[0].Resource == "arn:aws:secretsmanager:eu-west-1:000000000000:secret:localplus/bootstrap/*"
    error_message = "Secrets Manager holds what starts the platform, and nothing else is read from it."
  }
}

run "one_nat_elsewhere" {
  command = plan

  variables {
    environment  = "dev"
    vpc_cidr     = "10.2.0.0/16"
    aiven_cidr   = "10.102.0.0/24"
    nat_per_zone = false
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "dev has one NAT gateway for its three zones."
  }
}

run "refuses_another_continent" {
  command = plan

  variables {
    region = "us-east-1"
  }
  expect_failures = [var.region]
}

run "refuses_a_short_audit" {
  command = plan

  variables {
    audit_retention_days = 30
  }
  expect_failures = [var.audit_retention_days]
}

run "refuses_an_account_that_is_none" {
  command = plan

  variables {
    account_id = "localplus"
  }
  expect_failures = [var.account_id]
}
