"""Plugs into JupyterHub's spawner interface."""
