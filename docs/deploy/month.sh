#!/bin/sh
# month.sh CONFIG CYCLE FOLDER: drafts, and once somebody stands for them in APPROVED_BY, the close and its export.
# What a command said is FOLDER/<command>.json, its problems are on stderr. The first code that is not 0 ends it:
# 1 mend what is named, 3 something does not add up or speaks against the close, 4 again later, 5 look at the warnings.
set -eu
config=$1 cycle=$2 folder=$3
step() { command=$1; shift; reportgen "$command" "$config" "$@" --json >"$folder/$command.json"; }
mkdir -p "$folder"
step doctor
step check --strict
step run --cycle "$cycle" --strict
[ "${APPROVED_BY-}" ] || exit 0
step close --cycle "$cycle" --approved-by "$APPROVED_BY"
step export --cycle "$cycle" --format csv
