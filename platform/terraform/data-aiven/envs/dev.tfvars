# project and aws come as TF_VAR_… from the environment of that name in GitHub.
environment  = "dev"
network_cidr = "10.102.0.0/24"
plans        = { pg = "startup-4", kafka = "startup-4", valkey = "startup-4" }
replica      = false
kafka        = { replication = 3, min_insync = 2, partitions = 3 }
protected    = false
