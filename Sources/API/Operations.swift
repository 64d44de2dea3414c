import HTTPServer
import JSON
import Jobs

/// What operators look at.
extension API {
    func stats(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let stats = try await store.stats(now: call.now)
        return .json { writer in
            writer.object { writer in
                writer.counts("counts", stats.counts)
                writer.time("oldest_ready_at", stats.oldestReady)
                writer.list("queues", stats.queues) { $0.queue($1) }
                writer.list("routes", stats.routes) { $0.route($1) }
                writer.list("workers", stats.workers) { $0.worker($1) }
                writer.list("spend", stats.spend) { $0.spend($1) }
                writer.key("cache")
                writer.object { writer in
                    writer.field("enabled", settings.cacheEnabled)
                    writer.field("answers", stats.answers)
                }
                if settings.service.simulated { writer.field("simulated", true) }
            }
        }
    }

    /// Alive, whatever the database says: 200 always.
    func health(_ call: Call) async throws -> Response {
        var facts: StoreFacts?
        var failure: JobStoreError?
        do { facts = try await readiness.facts(now: call.now) } catch { failure = error }
        return .json { writer in
            writer.object { writer in
                writer.field("status", failure == nil ? "ok" : "degraded")
                writer.field("version", settings.version)
                writer.optional("store", facts) { $0.facts($1) }
                if let failure { writer.field("problem", Problem(failure).kind.rawValue) }
                writer.field("simulated", settings.service.simulated)
            }
        }
    }

    func ready(_ call: Call) async throws -> Response {
        do {
            _ = try await readiness.facts(now: call.now)
        } catch {
            throw Problem(.notReady, Problem(error).detail).withHeader("retry-after", "5")
        }
        return .json { $0.object { $0.field("status", "ready") } }
    }

    /// For people who open the address in a browser.
    func root(_ call: Call) async throws -> Response {
        .json { writer in
            writer.object { writer in
                writer.field("name", "renga")
                writer.field("version", settings.version)
                writer.field("description", "a durable job queue for LLM calls")
                writer.field("documentation", "docs/http-api.md")
                writer.field("first_step", "POST /v1/jobs?wait=60 with {\"prompt\":\"Hello\"}")
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func list<Element>(
        _ name: String, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        array { writer in
            for element in elements { body(&writer, element) }
        }
    }

    fileprivate mutating func facts(_ facts: StoreFacts) {
        field("engine", facts.engine)
        field("version", facts.version)
        field("schema_version", facts.schemaVersion)
        field("exposure", facts.exposure)
        field("database_bytes", facts.databaseBytes)
        field("log_pages", facts.logPages)
    }
}
