# project and aws come as TF_VAR_… from the environment of that name in GitHub.
environment  = "prod"
network_cidr = "10.100.0.0/24"
plans        = { pg = "business-4", kafka = "business-4", valkey = "business-4" }
replica      = true
kafka        = { replication = 3, min_insync = 2, partitions = 12 }
