extension MessageJSON {
    /// Lets the model answer; `usage` says what is known before: the input, and the tier.
    init(
        answering call: MessagesCall, _ marker: Marker?, fault: Fault.Kind?, usage: Usage, digest: Digest,
        repetition: Int, _ settings: SimulatorSettings
    ) {
        // Content depends on the request alone: the same prompt gets the same words however often it is called.
        var writer = AnswerWriter(
            call: call, marker: marker, fault: fault, answerTokens: settings.answerTokens,
            random: SeededRandom(settings.seed, digest.words.1))
        let answer = writer.write()
        var usage = usage
        usage.output = answer.outputTokens
        usage.thinking = answer.thinkingTokens
        usage.isInUS = call.isInUS
        usage.searches = call.searches(wanted: marker?.searches ?? 0)
        var names = SeededRandom(digest.words.2, UInt64(repetition))
        self.init(
            id: "msg_" + identifier(&names), model: call.model, answer: answer, usage: usage,
            stamps: marker?.stamps == true)
    }
}

extension CallEnd {
    /// The end of a call that the model answered, whether or not the answer arrives; refusals cost nothing.
    init(answering message: MessageJSON, status: Int?, fault: String?) {
        let isBilled = !message.answer.isRefusal
        self.init(
            status: status, fault: fault, model: message.model.id, usage: message.usage,
            cost: isBilled ? message.model.cost(message.usage) : 0, isBilled: isBilled)
    }
}
