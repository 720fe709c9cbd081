"""Exposure and lens over topics: commands, settlement, takeover by others, and the start of an episode."""
