#!/usr/bin/env bash
# The steps of action.yml, which also run by hand:
#
#   BENCH_SUITE=quick bash ci/action.sh run && bash ci/action.sh compare
#
# Whatever a workflow says comes in as an environment variable and is never evaluated.
# Exit codes: 0 fine, 1 regression or points lost, 2 not comparable or bad input.
set -uo pipefail

out=${BENCH_OUT:-bench-out}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
outputs=${GITHUB_OUTPUT:-/dev/null}

# The lines of $1, without those that are empty, into the array `lines`.
split() {
  lines=()
  local line
  while IFS= read -r line; do
    [[ -n "${line//[[:space:]]/}" ]] && lines+=("$line")
  done <<<"$1"
  return 0
}

install() {
  local what=()
  [[ -n "${BENCH_HOST:-}" ]] && what+=("$BENCH_HOST")
  [[ -n "${BENCH_PACKAGE:-}" ]] && what+=("$BENCH_PACKAGE")
  ((${#what[@]})) || return 0
  python -m pip install --quiet -- "${what[@]}" || return 2
}

run() {
  mkdir -p -- "$out" || return 2
  bench run --results "$out/results" -- "${BENCH_SUITE:-benchmarks.yaml}" 2>"$out/errors.txt"
  local code=$?
  cat -- "$out/errors.txt" >&2
  if ((code > 1)) || ! compgen -G "$out/results/*/plan.json" >/dev/null; then
    { echo "## ⚠️ The suite did not run"; echo '```'; cat -- "$out/errors.txt"; echo '```'; } >>"$summary"
    return 2
  fi
  return 0 # cells that failed are for the comparison to judge
}

compare() {
  local options=(--alpha "${BENCH_ALPHA:-0.05}") line
  split "${BENCH_GATES:-}"
  for line in ${lines[@]+"${lines[@]}"}; do options+=("--gate=$line"); done
  case "${BENCH_ALLOW_LOST:-false}" in
    true) options+=(--allow-lost) ;;
    false) ;;
    *)
      echo "action.sh: allow-lost must be true or false, not '${BENCH_ALLOW_LOST}'" >&2
      echo "exit-code=2" >>"$outputs"
      return 2
      ;;
  esac
  split "${BENCH_ARGUMENTS:-}"
  options+=(${lines[@]+"${lines[@]}"})
  mkdir -p -- "$out" || return 2
  rm -f -- "$out"/compare.{md,xml,json}
  bench compare "${options[@]}" --out "$out/compare.md" --out "$out/compare.xml" \
    --out "$out/compare.json" -- "${BENCH_BASELINE:-results/baseline}" "$out/results" \
    2>"$out/errors.txt"
  local code=$?
  cat -- "$out/errors.txt" >&2
  if [[ ! -f "$out/compare.md" ]]; then
    code=2 # whatever it died of, it is no verdict
    { echo "## ⚠️ Nothing was compared"; echo '```'; cat -- "$out/errors.txt"; echo '```'; } >>"$summary"
  else
    cat -- "$out/compare.md" >>"$summary"
  fi
  echo "exit-code=$code" >>"$outputs"
  return "$code"
}

case "${1:-}" in
  install | run | compare) "$1" ;;
  *)
    echo "action.sh: name a step: install, run or compare" >&2
    exit 2
    ;;
esac
