"""`hub-extensions sizes`: the choices of an option, made from a node's CPU and memory."""

import click

from ..mistakes import mistakes_in
from .mistaken_call import CalledWrongly
from .output import format_option, printed

EPILOG = """\b
Example: a node of your own, half and a quarter of one, the quarter as default:

\b
  hub-extensions sizes n2-highmem-4 --choices 3 --default 1

\b
What a node of your cluster really has is in its "Allocatable", from which the
requests of the system pods are to be taken away; both are shown by
  kubectl describe node NAME
"""


def _known(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    from ..node_types import node_types

    return [name for name in node_types() if name.startswith(begun)]


@click.command(name="sizes", epilog=EPILOG)
@click.argument("node_type", shell_complete=_known)
@click.option("--choices", default=3, show_default=True, help="How many: the whole node, its half, a quarter …")
@click.option("--default", type=int, help="Which is the default, counted from 1, the smallest.")
@click.option("--cpu", type=float, help="CPUs that people's pods can use of such a node, if you measured it.")
@click.option("--memory", help="Memory that they can use, such as 27.5G, if you measured it.")
@format_option
def command(
    node_type: str, choices: int, default: int | None, cpu: float | None, memory: str | None, format_: str
) -> None:
    """Print the choices of an option that share out nodes of a type, for `profile_options`.

    The largest is a whole node less a margin, each further one half of the one before. Memory is guaranteed; CPU is
    guaranteed in proportion, and all of a node's may be used while they are free.
    """
    from pydantic import ValidationError

    from ..node_sizes import NodeShares, choices_of

    try:
        shares = NodeShares(node_type=node_type, choices=choices, default=default, cpu=cpu, memory=memory)
        made = {"choices": choices_of(shares)}
    except ValidationError as error:
        raise CalledWrongly("; ".join(f"--{mistake}" for mistake in mistakes_in(error, NodeShares))) from error
    except ValueError as error:
        raise CalledWrongly(str(error)) from error
    click.echo(printed(made, format_), nl=False)
