#!/usr/bin/env bash
# Writes which images and which version an environment gets, and opens the pull request: propose.sh prod v1.4.0 '{"ledger":{"digest":"sha256:…"}}'
set -euo pipefail
environment=$1 tag=$2 digests=$3
[[ $environment =~ ^(staging|prod)$ && $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "usage: propose.sh staging|prod vX.Y.Z DIGESTS" >&2; exit 2; }
jq -e 'length > 0 and all(.[]; .digest | test("^sha256:[0-9a-f]{64}$"))' <<< "$digests" >/dev/null || { echo "no digests: $digests" >&2; exit 2; }

{
  echo "# Written by the release workflow: which image each service is in $environment."
  echo "services:"
  jq -r 'to_entries | sort_by(.key)[] | "  \(.key): { digest: \(.value.digest) }"' <<< "$digests"
} > "platform/gitops/images/$environment.yaml"
if [[ $environment == prod ]]; then
  sed -i "s|localplus.io/revision: .*|localplus.io/revision: $tag|" platform/gitops/argocd/clusters/prod.yaml
fi

branch=release/$tag/$environment
git config user.name "release"
git config user.email "release@users.noreply.github.com"
git switch --quiet --create "$branch"
git commit --quiet --all --message "Run $tag in $environment"
git push --quiet origin "$branch"
gh pr create --base main --head "$branch" --title "Run $tag in $environment" --body "Images by digest, signed by the release workflow."
