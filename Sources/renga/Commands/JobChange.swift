import JSON
import Jobs
import System

extension Command {
    static let cancel = Command(
        name: "cancel", summary: "cancel jobs, by id or by filter", arguments: "[ID…]",
        argumentCount: 0...10_000,
        flags: JobChange.flags, settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: "A call in flight is given up within a moment; what it cost is still accounted."
    ) { invocation in
        try await JobChange(invocation, verb: "cancel", from: [.queued, .running, .review]).carryOut()
    }

    static let retry = Command(
        name: "retry", summary: "try failed or cancelled jobs again, by id or by filter", arguments: "[ID…]",
        argumentCount: 0...10_000,
        flags: JobChange.flags + [
            Flag(
                "set", "NAME=VALUE", "mend what was wrong: model=…, route=… or max_tokens=…",
                isRepeatable: true)
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets,
        details: """
            With --set, jobs that are still queued are corrected too, where they stand; what was held back for what was
            wrong goes on by itself. --set model=… with the model a job has already moves it to where that model is
            called now.
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
            Flag("all", "all jobs in a state for it, whatever they are"),
            Flag("dry-run", "say how many, and change nothing"),
            Flag("yes", "with --all: without being asked"),
        ]

    let invocation: Invocation
    let verb: String
    /// The states in which it makes sense.
    let states: Set<JobState>
    let server: ServerClient
    /// The member `set` as JSON; nil where nothing is to be set.
    let mending: [UInt8]?

    init(_ invocation: Invocation, verb: String, from states: Set<JobState>) throws {
        self.invocation = invocation
        self.verb = verb
        self.states = states
        mending = verb == "retry" ? try JobChangeText.read(invocation.all("set")) : nil
        let isFiltered = !FilterFlags.given(invocation).isEmpty
        let ways = [!invocation.arguments.isEmpty, isFiltered, invocation.has("all")].count { $0 }
        guard ways == 1 else {
            throw UsageError(
                "name the jobs by their ids, by a filter such as --queue NAME, or with --all; one of these")
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

    /// Asks whoever sits at the terminal; where nobody does, nobody can be asked.
    private func isConfirmed() async throws -> Bool {
        guard isTerminal(0), isTerminal(2) else {
            throw UsageError("--all means every job there is; add --yes, or see how many with --dry-run")
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
            if let mending { body.field("set", raw: mending) }
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
            let body = mending.map { Array("{\"set\":".utf8) + $0 + Array("}".utf8) }
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
    /// The settings as a JSON object; nil where there are none.
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
