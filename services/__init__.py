"""Processes beside the hub."""
