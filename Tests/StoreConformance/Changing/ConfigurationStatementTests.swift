import Jobs
import Testing

@Suite struct ConfigurationStatementTests {
    private static let usd = Money(nanodollars: 1_000_000_000)

    private func configuration(
        price: String?, budgets: [Budget] = [], environment: [String: String] = [:]
    ) -> StatedConfiguration {
        StatedConfiguration(
            file: ConfigurationStatement(
                subject: "", content: price.map { ["routes.haiku.prices": $0] } ?? [:],
                source: price == nil ? "" : "/etc/renga.json"),
            environment: environment.map { name, words in
                ConfigurationStatement(
                    subject: "budgets.\(name)", content: ["budgets.\(name)": words], source: "RENGA_X")
            }, budgets: budgets, budgetsOfFile: Set(budgets.map(\.name)))
    }

    private func refusal(_ store: any WholeStore, _ stated: StatedConfiguration) async -> String {
        do {
            try await store.state(stated, adopting: false)
            return "accepted"
        } catch let error as JobStoreError {
            return error.code == .superseded ? error.message : "\(error)"
        } catch {
            return "\(error)"
        }
    }

    /// A second process on the same database.
    private func another(_ harness: StoreHarness, _ body: (any WholeStore) async throws -> Void) async throws
    {
        let store = try await harness.openAnother()
        try await body(store)
        await store.close()
    }

    @Test(arguments: StoreUnderTest.all)
    func `who goes by a superseded configuration claims nothing, and may not start again`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            let old = harness.store
            try await old.state(configuration(price: "0"), adopting: false)
            try await harness.warmUp()
            try await harness.enqueue("a", "b")
            try await another(harness) { new in
                #expect(try await new.supersedingConfiguration() == nil)
                try await new.state(configuration(price: "5"), adopting: false)
                #expect(try await harness.claim(5).isEmpty)
                let services = [Sample.service]
                let claim = try await new.claim(
                    ClaimRequest(
                        worker: harness.worker, slots: 1, running: 0, lease: 1000, services: services))
                #expect(claim.attempts.count == 1)
                for attempt in claim.attempts { try await harness.succeed(attempt) }
                let words = await refusal(new, configuration(price: "0"))
                #expect(words.contains("routes.haiku.prices: here 0, in force 5"))
                #expect(words.contains("--adopt-config"))
            }
            #expect(try await old.supersedingConfiguration()?.source == "/etc/renga.json")
            _ = try await old.renew(harness.worker, attempts: [], lease: 1000)
            #expect(try await old.stats().workers.map(\.isSuperseded) == [true])
            // A serving process shows as long as it lives.
            _ = try await old.register(
                NewWorker(
                    name: "serving", host: "here", processID: 2, slots: 5, partition: .interactive,
                    services: [Sample.service]))
            let listed = try await old.stats().workers.filter(\.isSuperseded)
            #expect(listed.map(\.name).contains("serving"))
            // The file is as it is in force, and was read again.
            old.goBy(
                ConfiguredTerms(
                    fingerprint: configuration(price: "5").file.fingerprint, prices: .standard,
                    fallbacks: FallbackChains()))
            #expect(try await harness.claim(5).count == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `going back is on purpose, and counts for all`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            for price in ["1", "2"] {
                try await store.state(configuration(price: price), adopting: false)
            }
            #expect(try await store.state(configuration(price: "1"), adopting: true))
            #expect(try await !store.state(configuration(price: "1"), adopting: false))
            #expect(await refusal(store, configuration(price: "2")) != "accepted")
            // Without a file nobody knows what the file says.
            let none = configuration(price: nil)
            #expect(await refusal(store, none).contains("this process has none"))
            #expect(try await store.state(none, adopting: true))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `without files nobody is in anybody's way, and a budget's last word counts`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let five = configuration(price: nil, environment: ["daily": "5"])
            let ten = configuration(price: nil, environment: ["daily": "10"])
            for stated in [five, configuration(price: nil), ten, configuration(price: nil)] {
                #expect(await refusal(store, stated) == "accepted")
            }
            #expect(await refusal(store, five).contains("budgets.daily: here 5, in force 10"))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a file that was read again counts at once, with its prices`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            try await store.state(configuration(price: "1"), adopting: false)
            let free = Price(input: 0, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0)
            store.goBy(
                ConfiguredTerms(
                    fingerprint: configuration(price: "1").file.fingerprint,
                    prices: PriceTable(routes: [Sample.route: [.init(price: free)]]),
                    fallbacks: FallbackChains()))
            #expect(store.prices.price(of: Sample.route, at: harness.now.timestamp) == free)
            let ids = try await harness.enqueue("a")
            try await harness.succeed(try await harness.claimOne())
            #expect(try await harness.job(ids[0]).cost == .zero)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `what the file states is changed there only, and leaves with it`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let daily = Budget(name: "daily", window: .day, limit: Self.usd)
            let monthly = Budget(name: "monthly", window: .month, limit: Self.usd)
            try await store.state(configuration(price: "1", budgets: [daily, monthly]), adopting: false)
            #expect(
                try await store.budgets().map(\.statedBy) == [
                    "/etc/renga.json", "/etc/renga.json",
                ])
            for change in ["set", "remove"] {
                let error = await #expect(throws: JobStoreError.self) {
                    if change == "set" {
                        _ = try await store.set(daily)
                    } else {
                        _ = try await store.remove(budget: "daily")
                    }
                }
                #expect(error?.code == .statedByConfiguration)
                #expect(error?.message.contains("/etc/renga.json") == true)
            }
            _ = try await store.set(Budget(name: "own", scope: .queue("q"), window: .total, limit: Self.usd))
            try await store.state(configuration(price: "2", budgets: [daily]), adopting: false)
            #expect(try await store.budgets().map(\.ledger.budget.name) == ["daily", "own"])
        }
    }
}
