"""Plugs into JupyterHub's authenticator interface."""
