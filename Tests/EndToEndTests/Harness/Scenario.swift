import Glibc
import Synchronization
import System
import TestPostgres

/// One test's world: a folder, a database, ports, and the processes that it started.
final class Scenario: Sendable {
    let folder: TemporaryFolder
    let children = Mutex<[Child]>([])
    let providers = Mutex<[Simulated]>([])
    /// One after the other: the proofs measure time.
    private static let turn = Turnstile()

    /// Nil where the jobs are in a file.
    let onServer: ServerDatabase?

    private init(_ onServer: ServerDatabase?) throws {
        self.onServer = onServer
        folder = try TemporaryFolder()
    }

    /// As RENGA_DATABASE names it.
    var database: String { onServer?.url ?? folder.path + "/jobs.db" }
    var source: any RecordSource { onServer ?? RecordFile(path: database) }

    /// Runs the test, shows what the processes wrote where it throws, and ends them all.
    ///
    /// On PostgreSQL with a server of its own if one is made.
    static func run<T>(
        on engine: Engine = .sqlite, server: (@Sendable () throws -> TestPostgres)? = nil,
        _ body: (Scenario) async throws -> T
    ) async throws -> T {
        await turn.enter()
        defer { turn.leave() }
        let scenario = try Scenario(engine == .sqlite ? nil : try await ServerDatabase.make(server))
        do {
            let result = try await Engine.$current.withValue(engine) { try await body(scenario) }
            await scenario.end()
            return result
        } catch {
            let epitaphs = scenario.children.withLock { $0 }.map(\.epitaph).joined(separator: "\n")
            let summary = (try? await scenario.record.summary()) ?? ""
            var provider = ""
            for simulated in scenario.providers.withLock({ $0 }) {
                provider +=
                    (try? await simulated.client.call("GET", "/_sim/stats").text.prefix(600) + "\n")
                    ?? "gone\n"
            }
            // Where nobody reads standard error, the error itself still tells most.
            let server = scenario.onServer?.lastWords ?? ""
            try? writeAll(2, Array("\(error)\n\(summary)\n\(provider)\(server)\(epitaphs)\n".utf8))
            await scenario.end()
            throw error
        }
    }

    private func end() async {
        for child in children.withLock({ $0 }) { child.signal(SIGKILL) }
        for child in children.withLock({ $0 }) { _ = await child.exit(within: .seconds(30)) }
        await onServer?.drop()
        folder.remove()
    }

    /// Starts `renga` with these arguments, and with these variables only.
    ///
    /// A wrapper is a command that takes the program and its arguments behind its own.
    func start(
        _ arguments: [String], _ variables: [String: String] = [:], name: String? = nil,
        input: String? = nil, wrapper: [String] = []
    ) throws -> Child {
        let number = children.withLock { $0.count + 1 }
        var environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path]
        // Where the Swift runtime lies, and what a sanitizer is told.
        for name in ["LD_LIBRARY_PATH", "TSAN_OPTIONS", "ASAN_OPTIONS"] {
            environment[name] = environmentVariable(name)
        }
        environment.merge(variables) { $1 }
        let program = variables["RENGA_CRASH_AT"] == nil ? Binary.path : Binary.withCrashPoints
        let command = wrapper + [program] + arguments
        let child = try Child(
            Launch(
                name: "\(number)-\(name ?? arguments.first ?? "renga")",
                program: command[0], arguments: Array(command.dropFirst()), environment: environment,
                folder: folder.path, outputs: folder.outputs,
                input: input))
        children.withLock { $0.append(child) }
        return child
    }

    /// Runs `renga` to its end.
    func finish(
        _ arguments: [String], _ variables: [String: String] = [:], input: String? = nil,
        wrapper: [String] = [], within bound: Duration = .seconds(60)
    ) async throws -> (status: Child.Exit, output: String, errors: String) {
        let child = try start(arguments, variables, input: input, wrapper: wrapper)
        guard let exit = await child.exit(within: bound) else {
            throw Disappointment(
                "renga \(arguments.joined(separator: " ")) did not end within \(bound.seconds.text()) s")
        }
        return (exit, child.output, child.errors)
    }
}

/// Lets one in at a time.
final class Turnstile: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken { state.waiting.append(continuation) }
                defer { state.isTaken = true }
                return !state.isTaken
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return CheckedContinuation<Void, Never>?.none
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
