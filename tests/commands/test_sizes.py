import json

import pytest
import yaml
from click.testing import CliRunner

from hub_extensions.catalogue import Choice
from hub_extensions.commands import main
from hub_extensions.node_sizes import NodeShares, choices_of


def run(*arguments):
    return CliRunner().invoke(main, ["sizes", *arguments])


@pytest.mark.parametrize(("format_", "load"), [("yaml", yaml.safe_load), ("json", json.loads)])
def test_the_choices_of_an_option_are_printed_as_they_go_into_a_profile(format_, load):
    printed = run("n2-highmem-4", "--choices", "3", "--default", "1", "--format", format_)
    assert printed.exit_code == 0
    found = load(printed.output)
    assert found == {"choices": choices_of(NodeShares(node_type="n2-highmem-4", choices=3, default=1))}
    assert [Choice.model_validate(choice).default for choice in found["choices"].values()] == [True, False, False]


def test_what_was_measured_counts_for_a_node_type_that_is_not_known():
    printed = run("our-own", "--choices", "1", "--cpu", "7.5", "--memory", "60G")
    (choice,) = yaml.safe_load(printed.output)["choices"].values()
    assert choice["display_name"] == "59 GB memory, 7.3 CPUs"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["r5.xlage"], "node type 'r5.xlage' is not known. Did you mean 'r5.xlarge'? Or set its cpu and memory."),
        (["r5.xlarge", "--choices", "9"], "--choices: Input should be less than or equal to 8"),
        (["r5.xlarge", "--memory", "a lot"], "--memory: not an amount of memory, such as 512M or 4G: 'a lot'"),
        (["t3.medium", "--choices", "6"], "6 choices of a t3.medium have too little memory. Make fewer of them."),
        (["r5.xlarge", "--default", "4"], "default is 4, but there are only 3 choices."),
        ([], "Missing argument 'NODE_TYPE'"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(arguments, said):
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert said in ended.output
