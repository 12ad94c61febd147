# account_id, organization_id and administrators come as TF_VAR_… from the environment of that name in GitHub.
environment  = "dev"
vpc_cidr     = "10.2.0.0/16"
aiven_cidr   = "10.102.0.0/24"
nat_per_zone = false

node_pools = {
  platform = {
    instance_types = ["m6i.xlarge"]
    size           = { min = 2, desired = 2, max = 3 }
    taint          = { key = "platform", value = "true", effect = "NO_SCHEDULE" }
  }
  application = {
    instance_types = ["m6i.large"]
    size           = { min = 2, desired = 2, max = 5 }
  }
  spot = {
    instance_types = ["m6i.large"]
    capacity       = "SPOT"
    size           = { min = 0, desired = 0, max = 5 }
    taint          = { key = "spot", value = "true", effect = "PREFER_NO_SCHEDULE" }
  }
}
