terraform {
  required_version = ">= 1.11"

  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = "~> 5.6"
    }
  }

  # The bucket and its key come from layer 0: -backend-config=bucket=… -backend-config=kms_key_id=…
  backend "s3" {
    key          = "vault.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

# VAULT_ADDR and VAULT_TOKEN: a token with the policy `terraform`; the first run has the root token of `vault operator init`.
provider "vault" {}
