import JSON

/// Tokens of one call as the answer tells them.
package struct Usage: Sendable, Equatable {
    /// What follows the last cache breakpoint.
    package var input = 0
    package var output = 0
    package var written5m = 0
    package var written1h = 0
    package var read = 0
    package var thinking = 0
    /// Answered in the batch tier, at half the price.
    package var isBatch = false
    /// Answered within the United States only, at 1.1 times the price.
    package var isInUS = false
    /// Searches on the web.
    package var searches = 0

    package var written: Int { written5m + written1h }
    /// The whole prompt, whatever part of it was cached.
    package var totalInput: Int { input + written + read }
    /// What counts against input tokens per minute: cache reads do not.
    package var limitedInput: Int { input + written }

    mutating func add(_ other: Usage) {
        input += other.input
        output += other.output
        written5m += other.written5m
        written1h += other.written1h
        read += other.read
        thinking += other.thinking
    }
}

extension Usage {
    /// The counts and their price, as the journal and the stats have them.
    func write(to json: inout JSONWriter, nanodollars cost: Int64) {
        json.field("input_tokens", input)
        json.field("output_tokens", output)
        json.field("cache_creation_input_tokens", written)
        json.field("cache_read_input_tokens", read)
        json.field("cost_nanodollars", cost)
    }
}

/// Tokens by rule of thumb, the same for the same text always: four bytes each.
enum TokenCount {
    static func text(bytes: Int) -> Int { (bytes + 3) / 4 }

    static func text(_ text: String) -> Int { self.text(bytes: text.utf8.count) }

    /// What one message costs beside its text.
    static let perMessage = 3
    static let perRequest = 5
    /// An image of usual size.
    static let image = 1_600
    /// A PDF's bytes hold less text than their number says.
    static func document(base64 bytes: Int) -> Int { max(1_500, bytes / 40) }
}
