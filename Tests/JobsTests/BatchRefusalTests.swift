import Jobs
import Testing

@Suite struct BatchRefusalTests {
    @Test(arguments: [
        (400, "Your credit balance is too low to access the Anthropic API.", BatchRefusal.passes),
        (400, "You have reached your specified API usage limits.", .passes),
        (401, "invalid x-api-key", .passes), (403, "no permission", .passes), (429, "slow down", .passes),
        (413, "request too large", .tooLarge),
        (400, "requests.3.params.max_tokens: too large", .request(3)),
        (400, "requests[0].custom_id: no", .request(0)), (400, "requests.99.params: no", .unavailable),
        (400, "requests.99999999999999999999: no", .unavailable), (400, "requests", .unavailable),
        (404, "not found", .unavailable), (405, "no", .unavailable),
    ])
    func `only where no batch is taken do all its jobs go at full price`(
        status: Int, message: String, meaning: BatchRefusal
    ) {
        let type = status == 413 ? "request_too_large" : "invalid_request_error"
        let refusal = Refusal(status: status, type: type, message: message)
        #expect(BatchRefusal(refusal, of: 10) == meaning)
    }

    @Test func `a single request that is too large is that one`() {
        let refusal = Refusal(status: 413, type: "request_too_large", message: "no")
        #expect(BatchRefusal(refusal, of: 1) == .request(0))
    }
}
