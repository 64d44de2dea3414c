/// What a route's answers are like, learned as they come: what the next call is expected to use, and how long it takes.
package struct RouteProfile: Hashable, Sendable {
    /// Answers that taught it.
    package var answers: Int
    /// Input tokens per byte of a request, as a running mean.
    package var inputPerByte: Double
    /// What nine answers of ten stay below, in output tokens: a running quantile.
    package var highOutput: Double
    /// Running means of one call; 0 before the first answer.
    package var input: Double
    package var output: Double
    package var callMilliseconds: Double

    /// The share of answers that stay below `highOutput`.
    static let quantile = 0.9
    /// How much the newest answer counts once there are enough of them.
    private static let share = 0.05
    /// After so many answers, what they were like counts as much as the worst that could come.
    private static let credence = 10.0
    /// No text has more tokens than a few for each byte; what only points to its input may have many more.
    private static let inputPerByteRange = 0.001...64.0
    /// No model writes more in one answer.
    private static let mostOutput = 262_144.0
    private static let longestCall = 86_400_000.0

    package init(
        answers: Int = 0, inputPerByte: Double = 0.3, highOutput: Double = 0, input: Double = 0,
        output: Double = 0,
        callMilliseconds: Double = 0
    ) {
        self.answers = max(0, min(answers, 1_000_000_000))
        let range = Self.inputPerByteRange
        self.inputPerByte = Self.bounded(inputPerByte, by: range.upperBound, else: 0.3)
        self.inputPerByte = max(range.lowerBound, self.inputPerByte)
        self.highOutput = Self.bounded(highOutput, by: Self.mostOutput)
        self.input = Self.bounded(input, by: RouteLedger.Need.largest)
        self.output = Self.bounded(output, by: Self.mostOutput)
        self.callMilliseconds = Self.bounded(callMilliseconds, by: Self.longestCall)
    }

    private static func bounded(_ value: Double, by most: Double, else fallback: Double = 0) -> Double {
        value.isFinite ? max(0, min(value, most)) : fallback
    }

    /// The output to reserve for a call: the quantile, and of the way from there to `maxTokens` as much as few answers
    /// leave in doubt.
    package func expectedOutput(atMost maxTokens: Int) -> Double {
        let most = Double(maxTokens)
        guard answers > 0, highOutput < most else { return most }
        let doubt = Self.credence / (Double(answers) + Self.credence)
        return highOutput + (most - highOutput) * doubt * doubt
    }

    /// One answer moves what is expected by a bounded share, whatever it says: it may be a lie.
    package mutating func learn(
        input tokens: Double, output: Double, requestBytes: Int, callMilliseconds: Milliseconds
    ) {
        let share = max(Self.share, 1 / Double(answers + 1))
        let bytes = Double(max(1, requestBytes))
        let tokens = Self.bounded(tokens, by: bytes * max(4, 4 * inputPerByte))
        let output = Self.bounded(output, by: Self.mostOutput)
        let time = Self.bounded(Double(callMilliseconds), by: Self.longestCall)
        if requestBytes > 0 { inputPerByte += Self.share * (tokens / bytes - inputPerByte) }
        inputPerByte = min(
            max(inputPerByte, Self.inputPerByteRange.lowerBound), Self.inputPerByteRange.upperBound)
        input += share * (tokens - input)
        self.callMilliseconds += share * (time - self.callMilliseconds)
        self.output += share * (output - self.output)
        raiseOrLower(output, by: share)
        answers = min(answers + 1, 1_000_000_000)
    }

    /// Steps up for what lies above and down for what lies below, so that it comes to rest where nine of ten lie below.
    private mutating func raiseOrLower(_ output: Double, by share: Double) {
        guard answers > 0 else { return highOutput = output }
        let step = share * max(1, highOutput)
        highOutput += output > highOutput ? step * Self.quantile : -step * (1 - Self.quantile)
        highOutput = min(highOutput, Self.mostOutput)
    }
}
