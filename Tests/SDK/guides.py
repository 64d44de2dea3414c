"""Runs the snippets of docs/guides as they stand there, against renga."""

import io
import os
import re
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout

from renga import KEY, World, run

world = World(sys.argv[1])
guides = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "guides")


def snippets(guide, language):
    with open(os.path.join(guides, guide)) as file:
        found = re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    assert found, f"no {language} in {guide}"
    return found


def here(text):
    return text.replace("http://127.0.0.1:8080", world.url)


def python(wanted):
    names = {}
    said = io.StringIO()
    for snippet in snippets("python.md", "python"):
        is_openai = "openai" in snippet
        if is_openai == (wanted == "openai"):
            with redirect_stdout(said):
                exec(compile(here(snippet), "python.md", "exec"), names)
    return said.getvalue()


def the_guide_for_python():
    said = python("anthropic")
    assert "job_" in said and "ticket-99" in said and "400" in said, said


def the_guide_for_shells():
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RENGA": world.url, "KEY": KEY}
        for snippet in snippets("curl.md", "sh"):
            done = subprocess.run(["sh", "-euc", snippet], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0 and done.stdout, (snippet, done)
            assert "urn:renga:problem" not in done.stdout and '"error":{' not in done.stdout, (snippet, done.stdout)


def the_guide_for_swift():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "main.swift"), "w") as file:
            file.write("\n".join(here(snippet) for snippet in snippets("swift.md", "swift")))
        build = ["swiftc", "-swift-version", "5", "-o", "guide", "main.swift"]
        subprocess.run(build, cwd=folder, check=True, capture_output=True, timeout=300)
        done = subprocess.run(["./guide"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "job_" in done.stdout, done


checks = [the_guide_for_python, the_guide_for_shells, the_guide_for_swift]
if len(sys.argv) > 2 and sys.argv[2] == "openai":

    def the_guide_for_python_with_openai():
        assert python("openai").strip()

    checks = [the_guide_for_python_with_openai]
run("guides", checks)
