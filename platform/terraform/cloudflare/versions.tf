terraform {
  required_version = ">= 1.11"

  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.14"
    }
  }

  # The bucket and its key come from layer 0: -backend-config=bucket=… -backend-config=kms_key_id=…
  backend "s3" {
    key          = "cloudflare.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

# CLOUDFLARE_API_TOKEN: a token that may edit this zone, its tunnel and its Access applications, and no other zone.
provider "cloudflare" {}
