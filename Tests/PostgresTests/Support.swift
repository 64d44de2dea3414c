import Postgres
import RawServer
import TestPostgres
import TestSupport

/// A connection to a database of the test's own.
func freshConnection() throws -> Connection {
    try connect(to: TestPostgres.shared().database())
}

func connect(to url: String) throws -> Connection { try Connection.open(settings(url)) }

func settings(_ url: String) throws -> ConnectionSettings {
    try ConnectionSettings(url: url, from: .environment)
}

func session(_ url: String, patienceMilliseconds: Int = 10_000) throws -> Session {
    try Session(settings(url), patienceMilliseconds: patienceMilliseconds, random: SeededRandom(seed: 1))
}

/// Statements that tests put together.
func call(_ text: String, _ types: ValueType..., arguments: (inout Arguments) -> Void = { _ in }) -> Call {
    var values = Arguments()
    arguments(&values)
    return Call(Statement("test", assembled: text, types), values)
}

/// The error's, or nil.
func kind<T>(_ body: () throws -> T) -> PostgresError.Kind? { caught(body)?.kind }

func caught<T>(_ body: () throws -> T) -> PostgresError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

struct NeverHappened: Error {}

/// Until it is true, for some seconds: for what another process does.
func eventually(_ condition: () throws -> Bool) async throws {
    for _ in 0..<1_000 {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NeverHappened()
}

/// A port of loopback at which nobody listens.
final class DeadPort: Sendable {
    private let address = DeafPort()

    var port: Int { address.url.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
    var url: String { "postgres://u@127.0.0.1:\(port)/d" }
}
