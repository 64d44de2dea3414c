import JSON
import Jobs
import System

extension Command {
    static let cancel = Command(
        name: "cancel", summary: "cancel jobs, by id or by filter", arguments: "[ID…]",
        argumentCount: 0...10_000,
        flags: JobChange.flags, settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: "A call in flight is aborted within a moment; what it cost is still booked."
    ) { invocation in
        try await JobChange(invocation, verb: "cancel", from: [.queued, .running, .review]).carryOut()
    }

    static let retry = Command(
        name: "retry", summary: "run failed or cancelled jobs again, by id or by filter", arguments: "[ID…]",
        argumentCount: 0...10_000,
        flags: JobChange.flags + [
            Flag(
                "set", "NAME=VALUE", "correct the jobs: model=…, route=… or max_tokens=…",
                isRepeatable: true)
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            With --set, jobs that are still queued are corrected too and keep their place. Jobs that were held back for
            the mistake go on by themselves. If you set the model that a job has already, it moves to the address at
            which that model is called now.
            """
    ) { invocation in
        let states: Set<JobState> =
            invocation.has("set") ? [.queued, .failed, .cancelled] : [.failed, .cancelled]
        return try await JobChange(invocation, verb: "retry", from: states).carryOut()
    }
}

/// A change of jobs by their ids, or of all that a filter finds.
private struct JobChange {
    static let flags =
        FilterFlags.all + [
            Flag("all", "all jobs that can be changed in this way"),
            Flag("dry-run", "count the jobs, and change nothing"),
            Flag("yes", "with --all: do not ask"),
        ]

    let invocation: Invocation
    let verb: String
    /// The states in which it makes sense.
    let states: Set<JobState>
    let server: ServerClient
    /// The member `set` as JSON; nil if nothing is to be set.
    let correction: [UInt8]?

    init(_ invocation: Invocation, verb: String, from states: Set<JobState>) throws {
        self.invocation = invocation
        self.verb = verb
        self.states = states
        correction = verb == "retry" ? try JobChangeText.read(invocation.all("set")) : nil
        let isFiltered = !FilterFlags.given(invocation).isEmpty
        let ways = [!invocation.arguments.isEmpty, isFiltered, invocation.has("all")].count { $0 }
        guard ways == 1 else {
            throw UsageError(
                "name the jobs: give ids, or filters such as --queue NAME, or --all")
        }
        server = try ServerClient(invocation)
    }

    func carryOut() async throws -> ExitStatus {
        invocation.arguments.isEmpty ? try await byFilter() : try await byID()
    }

    private func byFilter() async throws -> ExitStatus {
        if invocation.has("all"), !invocation.has("dry-run"), !invocation.has("yes") {
            guard try await isConfirmed() else { return .failed }
        }
        return try await byFilter(isTrial: invocation.has("dry-run"))
    }

    /// Asks on the terminal; without one the flag --yes is required.
    private func isConfirmed() async throws -> Bool {
        guard isTerminal(0), isTerminal(2) else {
            throw UsageError("--all affects every job: add --yes, or count them first with --dry-run")
        }
        let count = try await count(isTrial: true)
        guard count > 0 else { return true }
        Console.note("\(verb) \(Text.count(count, "job"))? Type yes to go on.")
        return readLine()?.lowercased() == "yes"
    }

    private func byFilter(isTrial: Bool) async throws -> ExitStatus {
        try report(try await count(isTrial: isTrial))
        return .done
    }

    private func count(isTrial: Bool) async throws -> Int {
        var body = JSONWriter()
        body.object { body in
            FilterFlags.write(invocation, to: &body)
            if invocation.has("all") { body.field("all", true) }
            if isTrial { body.field("dry_run", true) }
            if let correction { body.field("set", raw: correction) }
        }
        return try await server.call("POST", "/v1/jobs/\(verb)", body: body.bytes).number("count")
    }

    private func byID() async throws -> ExitStatus {
        var changed = 0
        var status = ExitStatus.done
        for id in invocation.arguments {
            do {
                if try await change(id) { changed += 1 }
            } catch let error as Failure where error.status == .failed {
                Console.note("\(id): \(error)")
                status = .failed
            }
        }
        try report(changed)
        return status
    }

    private func change(_ id: String) async throws -> Bool {
        let path = "/v1/jobs/\(Query.encoded(id))"
        guard invocation.has("dry-run") else {
            let body = correction.map { Array("{\"set\":".utf8) + $0 + Array("}".utf8) }
            _ = try await server.call("POST", "\(path)/\(verb)", body: body ?? [])
            return true
        }
        let state = try await server.call("GET", path).text("state")
        return JobState(rawValue: state).map(states.contains) ?? false
    }

    private func report(_ count: Int) throws {
        let jobs = Text.count(count, "job")
        let past = verb == "cancel" ? "cancelled" : "queued again"
        try Console.print(invocation.has("dry-run") ? "\(jobs) would be \(past)" : "\(jobs) \(past)")
    }
}

/// `--set model=… --set max_tokens=…`.
enum JobChangeText {
    /// The settings as a JSON object; nil if there are none.
    static func read(_ settings: [String]) throws(UsageError) -> [UInt8]? {
        guard !settings.isEmpty else { return nil }
        var members: [(name: String, value: String)] = []
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, ["model", "route", "max_tokens"].contains(parts[0]) else {
                throw UsageError("--set is “\(setting)”; expected model=NAME, route=NAME or max_tokens=N")
            }
            guard parts[0] != "max_tokens" || Int(parts[1]) != nil else {
                throw UsageError("--set is “\(setting)”; expected max_tokens=N, a whole number")
            }
            members.append((parts[0], parts[1]))
        }
        var writer = JSONWriter()
        writer.object { writer in
            for (name, value) in members {
                if name == "max_tokens" { writer.field(name, Int(value)) } else { writer.field(name, value) }
            }
        }
        return writer.bytes
    }
}
