terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The bucket and its key come from layer 0: -backend-config=bucket=… -backend-config=kms_key_id=…
  backend "s3" {
    key          = "dns-backup.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

# The account shared-services.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "localplus", Environment = "shared", Owner = "platform", DataClass = "public", ManagedBy = "terraform" }
  }
}

# Route 53's metrics and health checks live there, whatever they watch.
provider "aws" {
  alias               = "global"
  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = { Project = "localplus", Environment = "shared", Owner = "platform", DataClass = "public", ManagedBy = "terraform" }
  }
}
