"""`hub-extensions schema`: the grammar of the settings, for editors and for Helm."""

import click

from .output import format_option, printed

EPILOG = """\b
Example: let an editor complete and check hub.yaml, by its first line:

\b
  hub-extensions schema --format json > settings.schema.json
  # yaml-language-server: $schema=settings.schema.json

\b
For a chart around Zero to JupyterHub, as its values.schema.json, by which
Helm checks values before it changes anything:

\b
  hub-extensions schema --helm --format json > values.schema.json
"""


@click.command(name="schema", epilog=EPILOG)
@click.option("--helm", is_flag=True, help="For Helm values: what stands under custom: and in singleuser.profileList.")
@format_option
def command(helm: bool, format_: str) -> None:
    """Print the JSON Schema of the settings, with what each of them means.

    It knows every key and type, not what only `configure` can tell: whether a group, a profile or a time zone exists.
    With --helm, keys that are none of the settings are anything.
    """
    from ..schema import helm_schema, settings_schema

    click.echo(printed(helm_schema() if helm else settings_schema(), format_), nl=False)
