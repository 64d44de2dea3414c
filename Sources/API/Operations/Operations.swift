import HTTPServer
import JSON
import Jobs
import OpenAPI

/// What operators look at.
extension API {
    func stats(_ call: Call) async throws -> Response {
        let parameters = try Parameters(call.head, known: ["by", "days"])
        let axes = try parameters.spendAxes()
        let days = try parameters.integer("days", in: 1...366) ?? 31
        let found = try await store.lists { lists in
            let stats = try await lists.stats()
            var shares: [(axis: SpendAxis, list: [SpendShare])] = []
            for axis in axes { shares.append((axis, try await lists.spend(by: axis, days: days))) }
            return (stats: stats, spendBy: shares)
        }
        let (stats, spendBy) = found.value
        return .json { writer in
            writer.object { writer in
                writer.counts("counts", stats.counts)
                writer.time("oldest_ready_at", stats.oldestReady)
                writer.list("queues", stats.queues) { $0.queue($1) }
                writer.list("routes", stats.routes) { $0.route($1) }
                writer.list("workers", stats.workers) { $0.worker($1) }
                writer.list("spend", stats.spend) { $0.spend($1) }
                if !spendBy.isEmpty {
                    writer.key("spend_by")
                    writer.object { writer in
                        for (axis, list) in spendBy {
                            writer.list(axis.rawValue, list) { $0.share($1, axis: axis) }
                        }
                    }
                }
                writer.list("budgets", stats.budgets) { $0.budget($1) }
                writer.key("cache")
                writer.object { writer in
                    writer.field("enabled", settings.cacheEnabled)
                    writer.field("answers", stats.answers)
                }
                writer.optional("calendar_dispute", stats.calendar) { writer, dispute in
                    writer.field("off_ms", Int(dispute.offset))
                    writer.field("age_ms", Int(dispute.age))
                }
                if settings.service.simulated { writer.field("simulated", true) }
                if let asOf = found.asOf { writer.time("as_of", asOf) }
            }
        }
    }

    /// Alive, whatever becomes of the database, which is not asked: 200 always, and at once.
    func health(_ call: Call) async throws -> Response {
        .json { writer in
            writer.object { writer in
                writer.field("status", "ok")
                writer.field("version", settings.version)
                writer.field("simulated", settings.service.simulated)
            }
        }
    }

    func ready(_ call: Call) async throws -> Response {
        let facts: StoreFacts
        do {
            facts = try await readiness.facts(now: call.now)
        } catch {
            let problem = Problem(error)
            throw Problem(.notReady, "\(problem.kind.title): \(problem.detail)")
                .with("problem", problem.kind.rawValue).withHeader("retry-after", "5")
        }
        return .json { writer in
            writer.object { writer in
                writer.field("status", "ready")
                writer.key("store")
                writer.object { $0.facts(facts) }
            }
        }
    }

    /// What the server was told at its start, without secrets.
    func statedSettings(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        return .json { writer in
            writer.object { writer in
                writer.field("version", settings.version)
                writer.key("settings")
                writer.object { writer in
                    for (name, value) in settings.stated { writer.field(name, value) }
                }
            }
        }
    }

    /// The OpenAPI document of all this.
    func description(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        return Response(contentType: "application/json", bytes: OpenAPI.document)
    }

    /// For people who open the address in a browser.
    func root(_ call: Call) async throws -> Response {
        .json { writer in
            writer.object { writer in
                writer.field("name", "renga")
                writer.field("version", settings.version)
                writer.field("description", "a durable job queue for LLM calls")
                writer.field("documentation", "docs/http-api.md")
                writer.field("openapi", "/openapi.json")
                writer.field("first_step", "POST /v1/jobs?wait=60 with {\"prompt\":\"Hello\"}")
            }
        }
    }
}

extension Parameters {
    /// `by=model,queue`; each once.
    fileprivate func spendAxes() throws(Problem) -> [SpendAxis] {
        var axes: [SpendAxis] = []
        for word in (self["by"] ?? "").split(separator: ",") {
            guard let axis = SpendAxis(rawValue: String(word)) else {
                let words = SpendAxis.allCases.map(\.rawValue).joined(separator: ", ")
                throw refuse("by", "one or more of \(words), with commas between")
            }
            if !axes.contains(axis) { axes.append(axis) }
        }
        return axes
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
        strings("cautions", facts.cautions)
        optional("read_replica", facts.replica) { writer, replica in
            writer.field("state", replica.state.rawValue)
            writer.field("detail", replica.detail)
            writer.time("as_of", replica.asOf)
        }
    }
}
