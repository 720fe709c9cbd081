#!/usr/bin/env bash
# Make the keys and permissions of a graph, on a ROS machine: make_keystore.sh KEYSTORE [NAMESPACE [POLICY]]
#   KEYSTORE    folder of the keys; made if it is not there, else more keys are added to it
#   NAMESPACE   of the graph; /dasha by default
#   POLICY      what each process may do; policy.xml beside this script by default
# Permissions hold for one ROS domain: the one in ROS_DOMAIN_ID while this runs.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

if [ "$#" -lt 1 ] || [ "$#" -gt 3 ]; then
  say "usage: make_keystore.sh KEYSTORE [NAMESPACE [POLICY]]"
  exit 2
fi
keystore=$1 namespace=${2:-/dasha} policy=${3:-$here/policy.xml}
if ! [[ $namespace =~ ^(/[A-Za-z_][A-Za-z0-9_]*)+$ ]] || [[ $namespace == *__* ]]; then
  say "error: '$namespace' is not a namespace: give letters, digits and single underscores, as in /dasha/left"
  exit 2
fi
if ! [ -f "$policy" ]; then
  say "error: there is no policy '$policy'"
  exit 2
fi
if ! command -v ros2 >/dev/null || ! ros2 security --help >/dev/null 2>&1; then
  say "error: 'ros2 security' is not here. Source ROS, and install it: apt install ros-\$ROS_DISTRO-sros2"
  exit 1
fi

mine="$(mktemp --suffix=.xml)"
trap 'rm -f "$mine"' EXIT
sed "s|\"/dasha\([/\"]\)|\"$namespace\1|g" "$policy" >"$mine"
[ -d "$keystore/enclaves" ] || ros2 security create_keystore "$keystore"
ros2 security generate_artifacts -k "$keystore" -p "$mine"

say "The keys of $namespace in ROS domain ${ROS_DOMAIN_ID:-0} are in $keystore. In every shell that uses them:"
printf 'export ROS_SECURITY_KEYSTORE=%q\n' "$(cd "$keystore" && pwd)"
printf 'export ROS_SECURITY_ENABLE=true\nexport ROS_SECURITY_STRATEGY=Enforce\n'
