"""What makes a JupyterHub a good community hub: profiles by group, logins by community, usage, branded pages."""
