import HTTPClient
import RawServer
import Testing

/// A row of the table: one way in which a provider fails or is odd, and what renga makes of it.
struct Fault: Sendable, CustomTestStringConvertible {
    /// What the provider does.
    let name: String
    let provider: Provider
    /// What becomes of the job: `succeeded`, `again TYPE`, `wait TYPE`, `failed TYPE`.
    ///
    /// `again` counts only if another job succeeded meanwhile, where nothing else is said.
    let verdict: String
    /// What it says of the route.
    let event: String
    /// Whether the provider may have billed what nobody knows.
    let money: Money
    /// The words of the job's attempts, as far as they come within seconds where the provider is well again.
    let history: String
    var calls = CallKind.all
    var patience = Patience.long
    /// Bytes of the question.
    var size = 10
    /// A call goes before on the same connection.
    var warmsUp = false

    enum Money: Sendable { case known, unconfirmedCost }

    enum Patience: Sendable {
        /// For what is answered or ends by itself.
        case long
        /// For what hangs.
        case short

        var timeouts: HTTPRequest.Timeouts {
            switch self {
            case .long: .init(connect: 10, write: 20, idle: 20, call: 40)
            case .short: .init(connect: 10, write: 20, idle: 1, call: 3)
            }
        }
    }

    var testDescription: String { name }
}

/// How a call is made.
struct CallKind: Sendable, Hashable, CustomStringConvertible {
    enum Dialect: Sendable, CaseIterable { case messages, chat }

    var dialect: Dialect
    var streams: Bool

    static let all = Dialect.allCases.flatMap {
        [Self(dialect: $0, streams: false), Self(dialect: $0, streams: true)]
    }
    static let plain = all.filter { !$0.streams }
    static let streamed = all.filter(\.streams)
    static let messages = all.filter { $0.dialect == .messages }
    static let chat = all.filter { $0.dialect == .chat }
    static let plainMessages = plain.filter { $0.dialect == .messages }
    static let plainChat = plain.filter { $0.dialect == .chat }
    static let streamedMessages = streamed.filter { $0.dialect == .messages }
    static let streamedChat = streamed.filter { $0.dialect == .chat }

    var description: String { "\(dialect), \(streams ? "as a stream" : "plainly")" }
}

/// Who is called.
enum Provider: Sendable {
    /// The simulator, by the words of its marker; the fault strikes once.
    case simulated(String)
    /// A raw server, by what it does to its first connection; on later ones it answers.
    case scripted(@Sendable (Peer, CallKind) -> Void)
    /// Nobody.
    case absent
}
