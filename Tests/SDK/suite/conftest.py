"""The fixtures that an SDK's own tests ask for, with clients that reach renga."""

import importlib
import os

import pytest

sdk = importlib.import_module(os.environ["SUITE_SDK"])
name = {"anthropic": "Anthropic", "openai": "OpenAI"}[os.environ["SUITE_SDK"]]
address = {"base_url": os.environ["TEST_API_BASE_URL"], "api_key": os.environ["SUITE_KEY"]}


def strict(request):
    parameter = getattr(request, "param", True)
    return parameter if isinstance(parameter, bool) else parameter.get("strict", True)


@pytest.fixture
def client(request):
    with getattr(sdk, name)(**address, _strict_response_validation=strict(request)) as client:
        yield client


@pytest.fixture
async def async_client(request):
    async with getattr(sdk, "Async" + name)(**address, _strict_response_validation=strict(request)) as client:
        yield client


def pytest_configure(config):
    config.option.asyncio_mode = "auto"
