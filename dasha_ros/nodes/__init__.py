"""Floor 6. The ROS nodes: they translate between messages and the rooms below."""
