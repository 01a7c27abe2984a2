"""`hub-extensions completion`: what a shell needs to complete what is typed after `hub-extensions`."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "hub-extensions"
VARIABLE = "_HUB_EXTENSIONS_COMPLETE"  # as click derives it from the name of the program

EPILOG = """\b
Example: in this shell, and in every later one:

\b
  eval "$(hub-extensions completion bash)"
  hub-extensions completion bash >> ~/.bashrc

\b
  hub-extensions completion zsh >> ~/.zshrc
  hub-extensions completion fish > ~/.config/fish/completions/hub-extensions.fish
"""


@click.command(name="completion", epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete commands, options and their values.

    It is a script for the shell to read; bash has to be 4.4 or newer.
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.ClickException(f"This version of click knows no completion for {shell}.")
    program = click.get_current_context().find_root().command
    click.echo(completion(program, {}, PROGRAM, VARIABLE).source())
