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

    package init(
        answers: Int = 0, inputPerByte: Double = 0.3, highOutput: Double = 0, input: Double = 0,
        output: Double = 0,
        callMilliseconds: Double = 0
    ) {
        self.answers = answers
        self.inputPerByte = inputPerByte
        self.highOutput = highOutput
        self.input = input
        self.output = output
        self.callMilliseconds = callMilliseconds
    }

    /// The output to reserve for a call: the quantile, and of the way from there to `maxTokens` as much as few answers
    /// leave in doubt.
    package func expectedOutput(atMost maxTokens: Int) -> Double {
        let most = Double(maxTokens)
        guard answers > 0, highOutput < most else { return most }
        let doubt = Self.credence / (Double(answers) + Self.credence)
        return highOutput + (most - highOutput) * doubt * doubt
    }

    package mutating func learn(
        input tokens: Double, output: Double, requestBytes: Int, callMilliseconds: Milliseconds
    ) {
        let share = max(Self.share, 1 / Double(answers + 1))
        if requestBytes > 0 {
            inputPerByte += Self.share * (tokens / Double(requestBytes) - inputPerByte)
        }
        input += share * (tokens - input)
        self.callMilliseconds += share * (Double(callMilliseconds) - self.callMilliseconds)
        self.output += share * (output - self.output)
        raiseOrLower(output, by: share)
        answers += 1
    }

    /// Steps up for what lies above and down for what lies below, so that it comes to rest where nine of ten lie below.
    private mutating func raiseOrLower(_ output: Double, by share: Double) {
        guard answers > 0 else { return highOutput = output }
        let step = share * max(1, highOutput)
        highOutput += output > highOutput ? step * Self.quantile : -step * (1 - Self.quantile)
    }
}
