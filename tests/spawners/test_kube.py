"""A hub that should start pods, and has no cluster."""

import os
import subprocess
import sys
import textwrap


def test_without_a_kubeconfig_people_and_operators_read_one_sentence(tmp_path):
    program = textwrap.dedent("""
        import asyncio
        from hub_extensions.spawners.kube import ProfileKubeSpawner
        async def make():
            try:
                ProfileKubeSpawner(_mock=True)
            except Exception as error:
                print(error.status_code)
                print(error.jupyterhub_message)
                print(error.log_message)
        asyncio.run(make())
    """)
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "nowhere"), "HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-P", "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    status, for_people, for_operators = told.stdout.splitlines()
    assert status == "503"
    assert for_people == "This hub cannot reach its Kubernetes cluster. Please tell the people who run it."
    assert "KUBECONFIG or ~/.kube/config names none" in for_operators
