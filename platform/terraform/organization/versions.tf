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
    key          = "organization.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

# The management account.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.management_account_id]

  default_tags {
    tags = { Project = "localplus", Environment = "organization", Owner = "platform", DataClass = "confidential", ManagedBy = "terraform" }
  }
}
