import JSON
import Simulator
import Testing

@Suite struct AnswerTests {
    @Test(arguments: [
        ("One word: positive, negative or neutral.", "The product is great!", "positive"),
        ("One word: positive, negative or neutral.", "Terrible. It broke after a day.", "negative"),
        ("One word: positive, negative or neutral.", "It is not good at all", "negative"),
        ("One word: positive, negative or neutral.", "The box is blue.", "neutral"),
        (
            "Answer with exactly one of these words and nothing else: billing, bug, spam, other.",
            "I was charged twice, please refund the invoice.", "billing"
        ),
        (
            "Classify into: billing, shipping, other", "Where is my package? The tracking says delayed.",
            "shipping"
        ),
        (
            "Classify the ticket as one of: `billing`, `bug`, `access`.", "I was charged twice!",
            "billing"
        ),
        ("Answer with exactly one label: spam/ham", "Click now, you won a prize", "spam"),
        ("The sentiment: Positive | Negative", "I love it", "Positive"),
        ("Classify into: billing, shipping, other.", "asdf", "other"),
    ])
    func `A classification prompt gets a plausible label`(system: String, text: String, label: String)
        async throws
    {
        let simulator = try makeSimulator()
        #expect(await simulator.ask(text, system: system).content == label)
        #expect(await simulator.ask(system + "\n\n" + text).content == label)
    }

    @Test func `The same prompt gets the same words, another one others`() async throws {
        let one = await (try makeSimulator()).ask("Tell me about the moon and its phases.")
        let two = await (try makeSimulator()).ask("Tell me about the moon and its phases.")
        let other = await (try makeSimulator()).ask("Tell me about volcanoes and their causes.")
        #expect(one.content == two.content)
        #expect(one.content != other.content)
        #expect((one.content?.count ?? 0) > 40)
    }

    @Test func `max_tokens cuts the answer and says so`() async throws {
        let answer = await (try makeSimulator()).ask("Tell me a story about rivers.", maxTokens: 5)
        #expect(answer.json?["stop_reason"]?.string == "max_tokens")
        #expect(answer.tokens("output_tokens") == 5)
        #expect((answer.content?.utf8.count ?? 99) <= 20)
    }

    @Test func `A stop sequence cuts the answer and is named`() async throws {
        let answer = await (try makeSimulator()).ask(
            "[[sim:say=one two STOP three]]", extra: #","stop_sequences":["STOP"]"#)
        #expect(answer.content == "one two ")
        #expect(answer.json?["stop_reason"]?.string == "stop_sequence")
        #expect(answer.json?["stop_sequence"]?.string == "STOP")
    }

    @Test func `What a prompt has it say may be JSON`() async throws {
        let json = #"{"a":"b\n"}"#
        #expect(await (try makeSimulator()).ask("[[sim:say=\(json)]]").content == json)
    }

    @Test func `A schema is filled, enums with the fitting label`() async throws {
        let schema = #"""
            {"type":"object","additionalProperties":false,"required":["sentiment","confidence","tags"],"properties":{
            "sentiment":{"type":"string","enum":["positive","negative"]},"confidence":{"type":"number"},
            "count":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}},
            "inner":{"$ref":"#/$defs/inner"},"maybe":{"type":["string","null"]}},
            "$defs":{"inner":{"type":"object","additionalProperties":false,"properties":{"ok":{"type":"boolean"}}}}}
            """#
        let answer = await (try makeSimulator()).ask(
            "I love this phone",
            extra: #","output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#)
        let json = try JSON.parse(answer.content ?? "")
        #expect(json["sentiment"]?.string == "positive")
        #expect((0.7...1).contains(json["confidence"]?.double ?? 0))
        #expect(json["count"]?.int != nil)
        #expect((json["tags"]?.count ?? 0) > 0)
        #expect(json["inner"]?["ok"]?.bool != nil)
    }

    @Test(arguments: [#"{"type":"tool","name":"label"}"#, #"{"type":"any"}"#])
    func `A forced tool is used, with input of its schema`(choice: String) async throws {
        let tools = #"""
            ,"tools":[{"name":"label","input_schema":{"type":"object","properties":{"value":{"type":"string"}}}}]
            """#
        let answer = await (try makeSimulator()).ask("Go", extra: tools + #","tool_choice":\#(choice)"#)
        let block = answer.json?["content"]?[0]
        #expect(block?["type"]?.string == "tool_use")
        #expect(block?["name"]?.string == "label")
        #expect(block?["input"]?["value"]?.string != nil)
        #expect(answer.json?["stop_reason"]?.string == "tool_use")
    }

    @Test func `Thinking comes before the text and is counted`() async throws {
        let answer = await (try makeSimulator()).ask(
            "Hello", maxTokens: 2048, extra: #","thinking":{"type":"enabled","budget_tokens":1024}"#)
        #expect(answer.json?["content"]?[0]?["type"]?.string == "thinking")
        #expect(answer.json?["content"]?[1]?["type"]?.string == "text")
        #expect((answer.json?["usage"]?["output_tokens_details"]?["thinking_tokens"]?.int ?? 0) > 0)
    }

    @Test func `count_tokens says what the message will be charged`() async throws {
        let simulator = try makeSimulator()
        let body =
            #"{"model":"\#(haiku)","system":"Be brief.","messages":[{"role":"user","content":"Hi there"}]}"#
        let counted = await simulator.send(Array(body.utf8), path: "v1/messages/count_tokens")
        let answer = await simulator.ask("Hi there", system: "Be brief.")
        #expect(counted.json?["input_tokens"]?.int == answer.tokens("input_tokens"))
        #expect(simulator.stats.calls == 1)
    }

    @Test func `Markers script the answer`() async throws {
        let simulator = try makeSimulator()
        #expect(await simulator.ask("Say this back. [[sim:echo]]").content == "Say this back. [[sim:echo]]")
        #expect(await simulator.ask("[[sim:say=yes]]").content == "yes")
        #expect(await simulator.ask("[[sim:output=40]]").tokens("output_tokens") == 40)
        let refusal = await simulator.ask("[[sim:refusal]]")
        #expect(refusal.json?["stop_reason"]?.string == "refusal")
        #expect(refusal.json?["stop_details"]?["type"]?.string == "refusal")
        #expect(await simulator.ask("[[sim:max_tokens]]").json?["stop_reason"]?.string == "max_tokens")
        #expect(await simulator.ask("[[sim:pause_turn]]").json?["stop_reason"]?.string == "pause_turn")
        #expect(await simulator.ask("[[sim:nonsense]]").status == 400)
    }

    @Test func `Tier, place and searches stand in the usage, and cost what they cost`() async throws {
        let simulator = try makeSimulator()
        func spent(_ seen: Seen) throws -> (JSON, Int64) {
            let usage = try #require(seen.json?["usage"], "\(seen.text)")
            return (usage, simulator.stats.costNanodollars)
        }
        // "[[sim:output=9;batch]]" has 22 bytes: 6 tokens, and 8 of frame.
        let (batch, first) = try spent(await simulator.ask("[[sim:output=9;batch]]"))
        #expect(batch["service_tier"]?.string == "batch")
        #expect(first == (14 * 1000 + 9 * 5000) / 2)
        // 12 tokens, 15 of the finer tokenizer, at 110; and 550 for each that comes out.
        let (us, second) = try spent(
            await simulator.ask(
                "[[sim:output=9]]", model: "claude-haiku-5-5", extra: #","inference_geo":"us""#))
        #expect(us["inference_geo"]?.string == "us")
        #expect(second - first == 15 * 110 + 9 * 550)
        let tool = #","tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2}]"#
        let (search, third) = try spent(await simulator.ask("[[sim:output=9;searches=5]]", extra: tool))
        #expect(search["server_tool_use"]?["web_search_requests"]?.int == 2)
        let input = Int64(try #require(search["input_tokens"]?.int))
        let tokens = input * 1000 + 9 * 5000
        #expect(third - second == tokens + 20_000_000)
        let (plain, _) = try spent(await simulator.ask("[[sim:searches=5]]"))
        #expect(plain["server_tool_use"]?.isNull == true && plain["inference_geo"]?.string == "global")
        #expect(await simulator.ask("Hi", extra: #","inference_geo":"us""#).status == 400)
    }
}
