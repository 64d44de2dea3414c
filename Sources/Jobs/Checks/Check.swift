/// What an answer must be, and what follows if it is not.
///
/// Pure: an answer passes or it does not, for every caller and at any time, so a cached answer is held to it like a
/// new one.
package struct Check: Sendable {
    /// Steps after a failure, labels, and the bytes of a check as it is sent.
    package static let stepLimit = 10
    package static let labelLimit = 1_000
    package static let byteLimit = 256 * 1024

    /// For the JSON of the answer's text (or, if it has none, the input of its one tool call).
    package var schema: AnswerSchema?
    package var labels: Labels?
    package var confidence: Confidence?
    /// Searched in the answer's text.
    package var pattern: Pattern?
    /// Each tool call's input against the schema that the request gives for it; a call must be there if
    /// `tool_choice` demands one.
    package var toolInput = false
    /// What follows a failure: the first step after the first, and so on; after the last the job fails.
    package var steps: [CheckStep] = []

    /// The answer's text, trimmed, is one of these.
    package struct Labels: Sendable {
        package var names: [String]
        package var ignoresCase: Bool
    }

    /// A number at a place in the answer's JSON that is not below `least`.
    package struct Confidence: Sendable {
        package var pointer: JSONPointer
        package var least: Double
    }

    /// Whether it has any rule.
    var saysNothing: Bool {
        schema == nil && labels == nil && confidence == nil && pattern == nil && !toolInput
    }

    /// The models of its escalations, in order.
    package var models: [String] {
        steps.compactMap { step in
            if case .escalate(let model) = step { model } else { nil }
        }
    }
}

/// What follows an answer that failed its check.
package enum CheckStep: Hashable, Sendable {
    /// The same model again, with its answer and the complaint added to the conversation.
    case repair
    /// The job's request as it was sent, to another model.
    case escalate(model: String)
    /// A person decides.
    case review
    case fail

    /// The word for it in JSON and in the history.
    package var word: String {
        switch self {
        case .repair: "repair"
        case .escalate: "escalate"
        case .review: "review"
        case .fail: "fail"
        }
    }

    /// Whether no call follows.
    package var endsTheJob: Bool { self == .review || self == .fail }
}

/// Why a check cannot be taken.
package struct CheckError: Error, Hashable, Sendable {
    /// The full name of the field at fault: `check.schema.properties.name.type`.
    package var field: String
    /// Goes on after the field's name: “must be a number”.
    package var message: String

    init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }
}
