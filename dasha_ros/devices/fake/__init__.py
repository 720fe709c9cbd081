"""Devices that fail when told to, for tests of whoever owns one."""
