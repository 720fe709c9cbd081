#!/usr/bin/env bash
# Runs a command of the image with ROS and the package sourced; `dasha ...` is `ros2 run dasha_ros dasha ...`.
set -e
source "/opt/ros/${ROS_DISTRO:-jazzy}/setup.bash"
source /opt/dasha/ws/install/setup.bash
if [ "${1:-}" = dasha ]; then
  # Not through `ros2 run`: one process less between a signal and the command.
  shift
  exec /opt/dasha/ws/install/dasha_ros/lib/dasha_ros/dasha "$@"
fi
exec "$@"
