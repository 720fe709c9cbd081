"""``python -m dasha_ros.cli``: the command where its script is not installed."""

from dasha_ros.cli import main

main()
