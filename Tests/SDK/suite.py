"""An SDK's own tests of `create`, as its authors publish them, against renga.

`suite.py BINARY SDK PACKAGES… SOURCE FILE`: the tests come from the unpacked source of the package, their fixtures from
`suite/conftest.py` here, as the package's own want a mock server and a dozen of tools.

Left out are the tests named `…with_all_params…`: they send every parameter at once, with values that only a mock takes
(`inference_geo="inference_geo"`, `frequency_penalty=-2`, audio beside text). `anthropic_sdk.py` and `openai_sdk.py` send every
parameter of the methods' signatures with values that a provider takes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from renga import KEY, MODEL, World

binary, sdk, packages, tools, source, tests = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))

# The suites name models of their own providers.
routes = {"here": {"provider": "anthropic", "model": MODEL}, "opus": {"provider": "anthropic", "model": "claude-opus-5-5"}}
settings = {
    "model": "here",
    "providers": {"anthropic": {"credential": "ANTHROPIC_API_KEY"}},
    "routes": routes,
    "aliases": {"gpt-6-astra": "here", "claude-opus-5-5": "opus"},
}
if sdk == "anthropic":
    del settings["aliases"]
else:
    del settings["routes"]["opus"], settings["aliases"]["claude-opus-5-5"]

folder = tempfile.mkdtemp(prefix="renga-suite-")
try:
    configuration = os.path.join(folder, "renga.json")
    with open(configuration, "w") as file:
        json.dump(settings, file)
    os.chmod(configuration, 0o600)
    world = World(binary, RENGA_CONFIG=configuration)
    place = os.path.join(folder, "suite")
    os.makedirs(os.path.join(place, os.path.dirname(tests)))
    for part in ("tests/__init__.py", "tests/utils.py", tests):
        shutil.copy(os.path.join(source, part), os.path.join(place, part))
    part = os.path.dirname(tests)
    while part != "tests":
        open(os.path.join(place, part, "__init__.py"), "w").close()
        part = os.path.dirname(part)
    shutil.copy(os.path.join(here, "suite", "conftest.py"), os.path.join(place, "conftest.py"))
    path = os.pathsep.join(os.path.abspath(p) for p in (packages, tools))
    environment = {
        **os.environ,
        "PYTHONPATH": path + os.pathsep + place,
        "SUITE_SDK": sdk,
        "SUITE_KEY": KEY,
        "TEST_API_BASE_URL": world.url + ("/v1" if sdk == "openai" else ""),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "create and not all_params", tests]
    outcome = subprocess.run(command, cwd=place, env=environment, timeout=300)
finally:
    shutil.rmtree(folder, ignore_errors=True)
sys.exit(outcome.returncode)
