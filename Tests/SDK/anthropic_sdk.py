"""The official `anthropic` SDK, of whatever generation is on the path, against renga."""

import asyncio
import inspect
import sys
import time

import anthropic
from renga import KEY, MODEL, World, run, valid

world = World(sys.argv[1])
client = anthropic.Anthropic(api_key=KEY, base_url=world.url)
asynchronous = anthropic.AsyncAnthropic(api_key=KEY, base_url=world.url)
HELLO = [{"role": "user", "content": "Name three rivers."}]
TOOL = {
    "name": "weather",
    "description": "Tells the weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def ask(**more):
    return {"model": MODEL, "max_tokens": 60, "messages": HELLO, **more}


def plain_call():
    answer = valid(client.messages.create(**ask()))
    assert answer.content[0].text and answer.usage.output_tokens > 0
    assert answer._request_id.startswith("req_")


def plain_call_async():
    answer = valid(asyncio.run(asynchronous.with_options().messages.create(**ask())))
    assert answer.stop_reason in ("end_turn", "max_tokens")


def raw_headers_tell_of_the_job():
    raw = client.messages.with_raw_response.create(**ask(), extra_headers={"x-renga-tags": "a,b"})
    job = world.get("/v1/jobs/" + raw.headers["x-renga-job"])
    assert job["state"] == "succeeded" and job["tags"] == ["a", "b"] and job["queue"] == "interactive"
    assert raw.headers["x-renga-cost-usd"] == job["cost_usd"]


def streamed_call():
    with client.messages.stream(**ask()) as stream:
        text = "".join(stream.text_stream)
        final = valid(stream.get_final_message())
    assert text == final.content[0].text and final.stop_reason


def streamed_call_by_events():
    kinds = [event.type for event in client.messages.create(**ask(), stream=True)]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"


def streamed_call_async():
    async def go():
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=world.url) as mine:
            async with mine.messages.stream(**ask()) as stream:
                text = "".join([piece async for piece in stream.text_stream])
                return text, await stream.get_final_message()

    text, final = asyncio.run(go())
    assert text == final.content[0].text


def many_at_once():
    async def go():
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=world.url) as mine:
            calls = [mine.messages.create(**ask(messages=[{"role": "user", "content": f"Call {n}."}])) for n in range(50)]
            return await asyncio.gather(*calls)

    assert len({answer.id for answer in asyncio.run(go())}) == 50


def cached_answers_are_replayed():
    headers = {"x-renga-cache": "use"}
    words = ask(messages=[{"role": "user", "content": "[[sim:say=Always the same.]] Say it."}])
    first = client.messages.create(**words, extra_headers=headers)
    with client.messages.stream(**words, extra_headers=headers) as stream:
        again = stream.get_final_message()
    assert again.id == first.id and again.content[0].text == first.content[0].text
    assert again.usage.output_tokens == first.usage.output_tokens


def tools():
    forced = ask(tools=[TOOL], tool_choice={"type": "any"})
    answer = valid(client.messages.create(**forced))
    use = next(block for block in answer.content if block.type == "tool_use")
    assert use.name == "weather" and isinstance(use.input["city"], str)
    with client.messages.stream(**forced) as stream:
        streamed = stream.get_final_message()
    assert next(block for block in streamed.content if block.type == "tool_use").input == use.input
    following = HELLO + [
        {"role": "assistant", "content": [block.to_dict() for block in answer.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sun"}]},
    ]
    valid(client.messages.create(**ask(messages=following, tools=[TOOL])))


def errors_keep_their_classes():
    expected = {
        400: "BadRequestError",
        403: "PermissionDeniedError",
        404: "NotFoundError",
        413: ("APIStatusError", "RequestTooLargeError", "ContentTooLargeError"),
        422: "UnprocessableEntityError",
    }
    for status, names in expected.items():
        words = ask(messages=[{"role": "user", "content": f"[[sim:status={status}]] Go."}])
        try:
            client.messages.create(**words)
        except anthropic.APIStatusError as error:
            names = names if isinstance(names, tuple) else (names,)
            assert type(error).__name__ in names, f"{status} is {type(error).__name__}"
            assert error.status_code == status and error.request_id, error
        else:
            raise AssertionError(f"{status} was no error")


def wrong_key():
    try:
        anthropic.Anthropic(api_key="wrong", base_url=world.url).messages.create(**ask())
    except anthropic.AuthenticationError as error:
        assert error.status_code == 401
    else:
        raise AssertionError("a wrong key was let in")


def failures_of_the_provider_are_the_jobs_to_retry():
    words = ask(messages=[{"role": "user", "content": "[[sim:status=500;times=2]] Go."}])
    raw = client.with_options(max_retries=0).messages.with_raw_response.create(**words)
    assert raw.headers["x-renga-attempt"] == "3", raw.headers["x-renga-attempt"]


def a_stream_that_breaks_raises():
    words = ask(messages=[{"role": "user", "content": "[[sim:output=200;error-event]] Go."}], max_tokens=500)
    try:
        with client.messages.stream(**words) as stream:
            stream.get_final_message()
    except anthropic.APIError:
        return
    raise AssertionError("it looked whole")


def a_key_brings_the_same_answer():
    headers = {"idempotency-key": "sdk-1"}
    words = ask(messages=[{"role": "user", "content": "Only once."}])
    first = client.messages.create(**words, extra_headers=headers)
    assert client.messages.create(**words, extra_headers=headers).id == first.id
    try:
        client.messages.create(**ask(messages=HELLO), extra_headers=headers)
    except anthropic.UnprocessableEntityError:
        return
    raise AssertionError("another body was taken under the same key")


def token_counts():
    count = valid(client.messages.count_tokens(model=MODEL, messages=HELLO))
    assert count.input_tokens > 3


def models_with_pages():
    names = [model.id for model in client.models.list(limit=2)]
    assert MODEL in names and len(names) == len(set(names)) > 2
    assert valid(client.models.retrieve(MODEL)).id == MODEL
    try:
        client.messages.create(**ask(messages=[]))
    except anthropic.BadRequestError as error:
        assert "messages" in str(error)


def requests(count, words="Say the number"):
    return [{"custom_id": f"r-{n}", "params": ask(messages=[{"role": "user", "content": f"{words} {n}."}])} for n in range(count)]


def ended(batch):
    end = time.monotonic() + 60
    while batch.processing_status != "ended":
        assert time.monotonic() < end, batch
        time.sleep(0.05)
        batch = client.messages.batches.retrieve(batch.id)
    return valid(batch)


def a_batch_of_a_thousand():
    batch = valid(client.messages.batches.create(requests=requests(1000)))
    assert batch.id.startswith("msgbatch_") and batch.results_url is None
    batch = ended(batch)
    assert batch.request_counts.succeeded == 1000 and batch.ended_at
    results = [valid(result) for result in client.messages.batches.results(batch.id)]
    assert sorted(result.custom_id for result in results) == sorted(f"r-{n}" for n in range(1000))
    assert all(result.result.type == "succeeded" and result.result.message.content[0].text for result in results)
    job = world.get("/v1/jobs?limit=1&queue=batches")["data"][0]
    assert job["state"] == "succeeded"


def what_is_wrong_with_one_request_is_its_result():
    mixed = requests(3, "Mixed")
    mixed[1]["params"]["messages"] = []
    mixed[2]["params"]["messages"][0]["content"] = "[[sim:status=400]] Go."
    batch = ended(client.messages.batches.create(requests=mixed))
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 2), batch
    results = {result.custom_id: valid(result).result for result in client.messages.batches.results(batch.id)}
    assert results["r-0"].type == "succeeded"
    assert results["r-1"].error.error.type == results["r-2"].error.error.type == "invalid_request_error"


def batches_that_are_none():
    for wrong in ([], requests(1) * 2, [{"custom_id": "a b", "params": ask()}], [{"custom_id": "a"}]):
        try:
            client.messages.batches.create(requests=wrong)
        except anthropic.BadRequestError as error:
            assert "custom_id" in str(error) or "requests" in str(error) or "params" in str(error), error
        else:
            raise AssertionError(f"{wrong} was taken")


def a_batch_is_cancelled_and_deleted():
    batch = client.messages.batches.create(requests=requests(300, "[[sim:latency=400]] Slow"))
    batch = valid(client.messages.batches.cancel(batch.id))
    assert batch.cancel_initiated_at
    batch = ended(batch)
    counts = batch.request_counts
    assert counts.canceled > 0 and counts.canceled + counts.succeeded == 300, counts
    assert {result.result.type for result in client.messages.batches.results(batch.id)} >= {"canceled"}
    assert valid(client.messages.batches.delete(batch.id)).type == "message_batch_deleted"
    try:
        client.messages.batches.retrieve(batch.id)
    except anthropic.NotFoundError:
        return
    raise AssertionError("it is still there")


def batches_with_pages():
    made = [client.messages.batches.create(requests=requests(1, f"Page {n}")).id for n in range(5)]
    listed = [batch.id for batch in client.messages.batches.list(limit=2)]
    assert listed[:5] == made[::-1] and len(listed) == len(set(listed))
    newer = client.messages.batches.list(limit=2, before_id=made[0])
    assert [batch.id for batch in newer.data] == [made[2], made[1]] and newer.has_more


def full_parameters():
    """Every parameter of `create` that this generation has, with values that the provider takes."""
    ephemeral = {"type": "ephemeral", "ttl": "5m"}
    given = {
        "model": "claude-opus-5-5",
        "max_tokens": 2000,
        "messages": HELLO,
        "cache_control": ephemeral,
        "container": {"id": "container_1", "skills": [{"skill_id": "pdf", "type": "anthropic", "version": "latest"}]},
        "diagnostics": {"previous_message_id": None},
        "inference_geo": "us",
        "metadata": {"user_id": "13803d75-b4b5-4c3e-b2a2-6f21399b021b"},
        "output_config": {"effort": "low"},
        "service_tier": "auto",
        "speed": "standard",
        "stop_sequences": ["END"],
        "stream": False,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": ephemeral}],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "tools": [
            {
                **TOOL, "type": "custom", "strict": True, "defer_loading": False, "eager_input_streaming": True,
                "allowed_callers": ["direct"], "input_examples": [{"city": "Rome"}], "cache_control": ephemeral,
            }
        ],
        # Sent as headers, which are not passed on.
        "user_profile_id": "profile_1",
        "workspace_id": "wrkspc_1",
    }
    known = set(inspect.signature(client.messages.create).parameters)
    transport = {"extra_headers", "extra_query", "extra_body", "timeout"}
    # No part of the API for this model and version.
    sampling = {"temperature", "top_p", "top_k"}
    assert known <= set(given) | transport | sampling, known - set(given)
    answer = valid(client.messages.create(**{name: value for name, value in given.items() if name in known}))
    assert answer.usage.output_tokens > 0
    beta = set(inspect.signature(client.beta.messages.create).parameters)
    more = {
        "billing_policy": {"type": "billing_policy", "bill_to": "self"},
        "compaction": None,
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "fallback_credit_token": None,
        "fallbacks": "default",
        "mcp_servers": [],
        "thread": {"type": "create"},
        "betas": ["context-management-2025-06-27"],
    }
    if "thread" not in beta:
        return
    assert beta <= set(given) | set(more) | transport | sampling | {"output_format"}, beta - set(given) - set(more)
    valid(client.beta.messages.create(**{name: value for name, value in {**given, **more}.items() if name in beta}))


def a_thread_is_not_answered_from_the_cache():
    if "thread" not in inspect.signature(client.beta.messages.create).parameters:
        return
    words = {**ask(messages=[{"role": "user", "content": "[[sim:say=kept]] Say it."}]), "thread": {"type": "create"}}
    headers = {"x-renga-cache": "use"}
    first = client.beta.messages.create(**words, extra_headers=headers)
    again = client.beta.messages.create(**words, extra_headers=headers)
    assert first.id != again.id, "a conversation that lives at the provider was shared"
    more = {"type": "continue", "previous_message_id": first.id}
    answer = client.beta.messages.create(**ask(), thread=more)
    assert answer.usage.input_tokens > first.usage.input_tokens


def a_prompt_cache_is_filled_without_an_answer():
    answer = valid(client.messages.create(**ask(max_tokens=0)))
    assert answer.content == []


def searches_on_the_web():
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    words = ask(messages=[{"role": "user", "content": "[[sim:searches=1]] Find rivers."}], tools=[search], max_tokens=400)
    kinds = [block.type for block in valid(client.messages.create(**words)).content]
    assert kinds[:2] == ["server_tool_use", "web_search_tool_result"], kinds
    with client.messages.stream(**words) as stream:
        assert [block.type for block in stream.get_final_message().content] == kinds


def paths_that_are_not_served():
    try:
        client.get("/v1/nowhere", cast_to=object)
    except anthropic.NotFoundError as error:
        assert "renga has no /v1/nowhere" in str(error), error
    else:
        raise AssertionError("/v1/nowhere is there")
    slipped = anthropic.Anthropic(api_key=KEY, base_url=world.url + "/v1")
    try:
        slipped.messages.create(**ask())
    except anthropic.NotFoundError as error:
        assert "one /v1 too many" in str(error), error
    else:
        raise AssertionError("/v1/v1/messages is there")


run(
    f"anthropic {anthropic.__version__}",
    [
        plain_call, plain_call_async, raw_headers_tell_of_the_job, streamed_call, streamed_call_by_events,
        streamed_call_async, many_at_once, cached_answers_are_replayed, tools, errors_keep_their_classes, wrong_key,
        failures_of_the_provider_are_the_jobs_to_retry, a_stream_that_breaks_raises, a_key_brings_the_same_answer,
        token_counts, models_with_pages, a_batch_of_a_thousand, what_is_wrong_with_one_request_is_its_result,
        batches_that_are_none, a_batch_is_cancelled_and_deleted, batches_with_pages, full_parameters,
        a_thread_is_not_answered_from_the_cache, a_prompt_cache_is_filled_without_an_answer, searches_on_the_web,
        paths_that_are_not_served,
    ],
)
