"""The parts, one module each; `dasha_ros.benchmark.paper.part` says how to add one."""
