import Glibc
import HTTPClient
import HTTPServer
import JSON
import Synchronization
import System
import Testing

extension Proofs {
    /// Keys that leave the environment for the provider's header alone.
    @Suite struct Secrets {
        @Test
        func
            `Nothing of any key gets into logs, databases, metrics or answers, even where the provider echoes it`()
            async throws
        {
            try await Scenario.run { scenario in
                let keys = Keys()
                let echo = Echo()
                let provider = HTTPServer(configuration: .init(), handler: echo)
                try provider.start()
                let variables = [
                    "ANTHROPIC_API_KEY": keys.provider,
                    "ANTHROPIC_BASE_URL": "http://127.0.0.1:\(provider.port)",
                    "RENGA_DATABASE": scenario.database, "RENGA_API_KEY": keys.caller, "RENGA_LOG": "debug",
                    "RENGA_BATCH_LINGER": "1ms", "RENGA_BATCH_POLL": "100ms", "RENGA_MAX_ATTEMPTS": "2",
                    "RENGA_INTERACTIVE_WAIT": "2s",
                ]
                let port = try Ports.free()
                let server = try await scenario.serve(
                    scenario.start(["up", "--listen", "127.0.0.1:\(port)"], variables), port: port,
                    key: keys.caller)
                var said = try await talk(to: server, keys)
                said += try await look(at: server, scenario, variables)
                #expect(echo.calls > 8)
                await provider.stop()
                server.child.signal(SIGTERM)
                _ = await server.child.exit(within: .seconds(30))
                var traces = said
                for file in try files(in: scenario.folder.path) {
                    traces.append((file, try readFile(file, limit: 1 << 30)))
                }
                for (place, bytes) in traces {
                    for key in [keys.provider, keys.caller, keys.foreign] {
                        try demand(!bytes.contains(Array(key.utf8)), "a key stands in \(place)")
                    }
                }
                Figures.print(
                    "secrets", ["places searched": "\(traces.count)", "calls echoed": "\(echo.calls)"])
            }
        }

        private typealias Trace = (place: String, bytes: [UInt8])

        private struct Keys {
            let provider = "sk-ant-api03-" + random()
            let caller = "rk-" + random()
            /// One that somebody presents though it is not the right one.
            let foreign = "sk-ant-api03-" + random()

            private static func random() -> String {
                (0..<4).map { _ in String(UInt64.random(in: 0...(.max)), radix: 36) }.joined()
            }
        }

        /// Each kind of answer, each way in.
        private func talk(to server: Server, _ keys: Keys) async throws -> [Trace] {
            var traces: [Trace] = []
            func note(_ place: String, _ answer: Client.Answer) {
                traces.append((place, Array(answer.text.utf8) + answer.headerBytes))
            }
            let batch = try await server.client.post("/v1/jobs", #"{"prompt":"batch","processing":"batch"}"#)
            note("a batch", batch)
            for prompt in ["200", "400", "500", "302", "garbage", "stream-error"] {
                let body = #"{"prompt":"\#(prompt)","cache":"off"}"#
                note("a job, \(prompt)", try await server.client.post("/v1/jobs?wait=3", body))
                for stream in [false, true] {
                    let call =
                        #"{"model":"claude-haiku-4-5-20251001","max_tokens":9,"stream":\#(stream),"#
                        + #""messages":[{"role":"user","content":"\#(prompt)"}]}"#
                    note("a call, \(prompt)", try await server.client.post("/v1/messages", call))
                }
            }
            let stranger = Client(url: server.url, key: keys.foreign)
            note("a wrong key", try await stranger.post("/v1/jobs", #"{"prompt":"x"}"#))
            note("a key in the path", try await stranger.call("GET", "/v1/jobs/none"))
            let id = try #require(batch.json?["id"]?.string)
            try await eventually("the refused batch was called by itself", within: .seconds(20)) {
                try await server.client.get("/v1/jobs/\(id)")["state"]?.string == "succeeded"
            }
            // The last route's gate closes at the end: it pauses everything.
            note("401", try await server.client.post("/v1/jobs?wait=1", #"{"prompt":"401","cache":"off"}"#))
            return traces
        }

        private func look(
            at server: Server, _ scenario: Scenario, _ variables: [String: String]
        ) async throws -> [Trace] {
            var traces: [Trace] = []
            let paths = [
                "/metrics", "/v1/stats?by=model,queue,tag,day", "/v1/routes", "/v1/queues", "/v1/events",
                "/v1/jobs?limit=100&include=request,response", "/v1/models", "/v1/nothing",
            ]
            for path in paths {
                let answer = try await server.client.call("GET", path)
                traces.append((path, Array(answer.text.utf8) + answer.headerBytes))
            }
            var more = variables
            more["RENGA_URL"] = server.url
            for command in [["status"], ["jobs"], ["doctor"], ["status", "--verbose"]] {
                let (_, output, errors) = try await scenario.finish(command, more)
                traces.append((command.joined(separator: " "), Array((output + errors).utf8)))
            }
            return traces
        }

        private func files(in folder: String) throws -> [String] {
            guard let stream = opendir(folder) else { throw Disappointment("cannot read \(folder)") }
            defer { closedir(stream) }
            var files: [String] = []
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                let path = folder + "/" + name
                files += entry.pointee.d_type == UInt8(DT_DIR) ? try self.files(in: path) : [path]
            }
            return files
        }
    }
}

/// A provider that sends back, in headers and words, all that it was sent.
private final class Echo: PlainHandler, Sendable {
    private let counter = Atomic(0)
    var calls: Int { counter.load(ordering: .relaxed) }

    func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 20) }

    func respond(to request: Request) async -> Response {
        counter.add(1, ordering: .relaxed)
        let headers = request.head.headers.fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
        let body: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { [] }
        let text = String(decoding: body, as: UTF8.self)
        if request.head.rawPath.hasSuffix("/batches") { return error(400, headers) }
        let status = [400, 401, 500].first { text.contains("\"\($0)\"") }
        if let status { return error(status, headers) }
        if text.contains("\"302\"") {
            return Response(
                status: 302, headers: ["location": "http://127.0.0.1:1/?\(headers)"], body: .bytes([]))
        }
        if text.contains("\"garbage\"") { return answer(200, Array("<html>\(headers)</html>".utf8), headers) }
        if text.contains("\"stream-error\"") {
            return error(529, String(repeating: "x", count: 470) + headers)
        }
        return answer(200, message(headers), headers)
    }

    private func message(_ text: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("id", "msg_echo")
            json.field("type", "message")
            json.field("role", "assistant")
            json.field("model", "claude-haiku-4-5-20251001")
            json.key("content")
            json.array { content in
                content.object { block in
                    block.field("type", "text")
                    block.field("text", text)
                }
            }
            json.field("stop_reason", "end_turn")
            json.key("usage")
            json.object { usage in
                usage.field("input_tokens", 9)
                usage.field("output_tokens", 9)
            }
        }
        return json.bytes
    }

    private func error(_ status: Int, _ text: String) -> Response {
        var json = JSONWriter()
        json.object { json in
            json.field("type", "error")
            json.key("error")
            json.object { error in
                error.field("type", "invalid_request_error")
                error.field("message", text)
            }
        }
        return answer(status, json.bytes, text)
    }

    private func answer(_ status: Int, _ body: [UInt8], _ text: String) -> Response {
        Response(
            status: status,
            headers: ["content-type": "application/json", "anthropic-echo": text, "request-id": text],
            body: .bytes(body))
    }
}

extension Client.Answer {
    fileprivate var headerBytes: [UInt8] {
        Array(headers.fields.map { "\($0.name): \($0.value)\n" }.joined().utf8)
    }
}
