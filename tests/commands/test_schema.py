import json

import pytest
import yaml
from click.testing import CliRunner

from hub_extensions.commands import main
from hub_extensions.schema import helm_schema, settings_schema


@pytest.mark.parametrize(("format_", "load"), [("yaml", yaml.safe_load), ("json", json.loads)])
@pytest.mark.parametrize(("arguments", "made"), [([], settings_schema), (["--helm"], helm_schema)])
def test_the_schema_is_printed_for_an_editor_and_for_helm(arguments, made, format_, load):
    printed = CliRunner().invoke(main, ["schema", *arguments, "--format", format_])
    assert printed.exit_code == 0
    assert load(printed.output) == json.loads(json.dumps(made()))
