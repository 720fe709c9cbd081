"""Floor 4. The `Rig`: apply settings, get the percept that answers them; and what runs on one."""
