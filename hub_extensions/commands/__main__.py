"""``python -m hub_extensions.commands``: the command line of the interpreter that runs, whatever ``PATH`` says."""

from . import main

main()
