"""`hub-extensions completion`: what a shell needs to complete what is typed after `hub-extensions`."""

import click
from click.shell_completion import get_completion_class

PROGRAM = "hub-extensions"
VARIABLE = "_HUB_EXTENSIONS_COMPLETE"  # as click derives it from the name of the program

EPILOG = """\b
Once for each person, and then in every new shell; for bash:

\b
  hub-extensions completion bash >> ~/.bashrc

\b
for zsh:

\b
  echo 'autoload -Uz compinit && compinit' >> ~/.zshrc
  hub-extensions completion zsh >> ~/.zshrc

\b
for fish:

\b
  mkdir -p ~/.config/fish/completions
  hub-extensions completion fish > ~/.config/fish/completions/hub-extensions.fish

\b
The line with compinit is for whoever has none in ~/.zshrc yet.
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
