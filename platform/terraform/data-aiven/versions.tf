terraform {
  required_version = ">= 1.11"

  required_providers {
    aiven = {
      source  = "aiven/aiven"
      version = "~> 4.44"
    }
  }

  # The bucket and its key come from layer 0: -backend-config=bucket=… -backend-config=kms_key_id=…
  backend "s3" {
    key          = "data-aiven.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

# AIVEN_TOKEN: a token of this environment's project.
provider "aiven" {}
