#!/usr/bin/env bash
# Picks a commit of main onto a line of maintenance and opens the pull request: backport.sh v1 NUMBER COMMIT TITLE
# Where it does not apply, the pull request holds the conflict and says so, and nobody merges it unseen.
set -euo pipefail
line=$1 number=$2 commit=$3 title=$4
[[ $line =~ ^v[0-9]+$ && $number =~ ^[0-9]+$ && $commit =~ ^[0-9a-f]{40}$ ]] || { echo "usage: backport.sh v1 NUMBER COMMIT TITLE" >&2; exit 2; }
base=maintenance/$line.x.x
branch=backport/$line/$number

if git ls-remote --exit-code --heads origin "$branch" >/dev/null; then
  echo "$branch is there already" >&2
  exit 0
fi

git config user.name "backport"
git config user.email "backport@users.noreply.github.com"
git fetch --quiet origin main
git merge-base --is-ancestor "$commit" origin/main || { echo "$commit is not on main" >&2; exit 1; }
git switch --quiet --create "$branch" "origin/$base"

# A merge commit is picked as what it brought to its first parent.
mainline=()
[[ $(git rev-list --parents -n 1 "$commit" | wc -w) -gt 2 ]] && mainline=(--mainline 1)
draft=()
note="Picked from #$number by its label."
if ! git cherry-pick -x "${mainline[@]}" "$commit"; then
  git add --all
  git -c core.editor=true cherry-pick --continue
  draft=(--draft)
  note="Picked from #$number by its label. **It does not apply: the conflict is committed as it is and has to be solved here.**"
fi
git push --quiet origin "$branch"
gh pr create --base "$base" --head "$branch" --title "[$line] $title" --body "$note" "${draft[@]}"
