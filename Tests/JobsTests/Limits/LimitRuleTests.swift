import Jobs
import Testing

/// The rules that limits, turns and latencies are made of.
@Suite struct LimitRuleTests {
    @Test func `the running quantile comes to rest where nine answers of ten lie below`() {
        var profile = RouteProfile()
        var random = SystemRandom()
        for _ in 0..<4_000 {
            profile.learn(
                input: 10, output: Double.random(in: 0...1_000, using: &random), requestBytes: 40,
                callMilliseconds: 100)
        }
        #expect((600...1_050).contains(profile.highOutput))
        #expect((250...750).contains(profile.output))
        #expect(abs(profile.inputPerByte - 0.25) < 0.01)
        #expect(profile.callMilliseconds == 100)
    }

    @Test func `a single short answer does not let a thousand long ones go`() {
        var profile = RouteProfile()
        #expect(profile.expectedOutput(atMost: 1_000) == 1_000)
        profile.learn(input: 10, output: 4, requestBytes: 40, callMilliseconds: 1)
        #expect(profile.expectedOutput(atMost: 1_000) > 800)
        for _ in 0..<200 { profile.learn(input: 10, output: 4, requestBytes: 40, callMilliseconds: 1) }
        #expect(profile.expectedOutput(atMost: 1_000) < 10)
        #expect(profile.expectedOutput(atMost: 2) == 2)
    }

    @Test func `classes of times hold each time within an eighth`() {
        var last = -1
        for time: Milliseconds in [
            0, 1, 15, 16, 17, 18, 31, 32, 100, 999, 1_000, 60_000, 600_000, 86_400_000,
        ] {
            let index = LatencyHistogram.index(of: time)
            #expect(index >= last)
            last = index
            let longest = LatencyHistogram.longest(in: index)
            #expect(longest >= time && longest - time <= time / 8)
        }
        #expect(LatencyHistogram.index(of: .max) < 320 && LatencyHistogram.index(of: -1) == 0)
    }

    @Test func `quantiles are those of what was counted`() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for time in 1...100 { histogram.add(1, to: LatencyHistogram.index(of: Milliseconds(time))) }
        #expect((50...56).contains(histogram.quantile(0.5) ?? 0))
        #expect((99...111).contains(histogram.quantile(0.99) ?? 0))
    }

    @Test func `turns follow weights, and absence is neither paid nor charged`() {
        var turns = FairScheduler()
        var places = ["a": 0.0, "b": 0.0]
        var served: [String] = []
        func serve(_ weights: [String: Int]) {
            let present = places.filter { weights[$0.key] != nil }
            guard let name = turns.next(among: present) else { return }
            places[name] = turns.take(at: places[name] ?? 0, weight: weights[name] ?? 1)
            served.append(name)
        }
        for _ in 0..<100 { serve(["a": 100]) }
        served = []
        for _ in 0..<40 { serve(["a": 300, "b": 100]) }
        #expect((9...11).contains(served.count { $0 == "b" }))
    }

    @Test func `cache reads count against the input limit of the oldest small models only`() {
        let service = ServiceKey(provider: "p", endpoint: "e", credential: "c", simulated: false)
        #expect(RouteKey(service: service, model: "claude-3-5-haiku-20241022").countsCacheReads)
        #expect(RouteKey(service: service, model: "claude-3-haiku-20240307").countsCacheReads)
        #expect(!RouteKey(service: service, model: "claude-haiku-4-5-20251001").countsCacheReads)
    }
}
