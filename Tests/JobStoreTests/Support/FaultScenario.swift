import FaultyDisk
import JobStoreSQLite
import Jobs
import TestSupport
import Testing

@testable import StoreConformance

/// The life of some jobs at a store whose disk fails, told from what the store acknowledged.
///
/// Whoever is refused goes on with something else; a settlement is tried again later, as a worker does.
final class FaultScenario {
    private let directory: TemporaryDirectory
    private var store: (any WholeStore)?
    private var worker: WorkerID?
    private var server: WorkerID?
    private let clock = HandClock()
    private var unsettled: [AttemptKey] = []
    private(set) var enqueued: [JobID] = []
    private(set) var succeeded: [JobID] = []
    /// Errors that no caller of a store may see.
    private(set) var surprises: [String] = []

    init(_ directory: TemporaryDirectory) {
        self.directory = directory
    }

    /// Whatever becomes of it: opens, takes in, claims, settles, copies the log, prunes.
    func run() async {
        await attempt { self.store = try await SQLiteDatabase(self.directory).openFile(clock: self.clock) }
        for round in 0..<2 {
            await beginWork()
            await enqueue("job \(round) a", "job \(round) b")
            await enqueue(String(repeating: "long \(round) ", count: 4_000))
            await call("call \(round)")
            await claimAndSettle()
            await call("call \(round) at the end")
            await passBy()
            clock.advance(1_000)
        }
        await attempt {
            // Nothing is old enough: what succeeded is to be found at the end.
            _ = try await self.store?.prune(olderThan: 1_000_000)
        }
    }

    /// The disk is well again: the same store does at once what it is asked, and in the end all is done.
    func resume() async throws {
        if store == nil { store = try await SQLiteDatabase(directory).openFile(clock: clock) }
        let store = try #require(store)
        let count = enqueued.count
        await beginWork()
        await enqueue("after the fault")
        #expect(enqueued.count == count + 1, "\(surprises)")
        for _ in 0..<20 where try await store.stats().counts.succeeded < enqueued.count {
            // Leases that nobody knows of, as the claim failed after its commit, are to end.
            clock.advance(31_000)
            _ = try await store.reap()
            await claimAndSettle()
        }
        let states = try await store.states(of: enqueued)
        #expect(states.count == enqueued.count && states.values.allSatisfy { $0 == .succeeded })
    }

    func close() async {
        await store?.close()
        store = nil
    }

    private func beginWork() async {
        if worker == nil { await attempt { self.worker = try await self.register("w", .common) } }
        if server == nil { await attempt { self.server = try await self.register("s", .interactive) } }
    }

    private func register(_ name: String, _ partition: Partition) async throws -> WorkerID? {
        try await store?.register(
            NewWorker(name: name, host: "here", processID: 1, slots: 9, partition: partition))
    }

    /// A caller asks and waits: its job is written, and synced with what comes next.
    private func call(_ text: String) async {
        await attempt {
            guard let store = self.store, let server = self.server else { return }
            let entered = try await store.enqueueAndClaim(
                [try Sample.job(text)], claiming: self.request(server, .interactive))
            self.enqueued += entered.outcomes.compactMap(\.id)
            self.unsettled += entered.claim.attempts.map(\.key)
        }
    }

    private func request(_ worker: WorkerID, _ partition: Partition) -> ClaimRequest {
        ClaimRequest(
            worker: worker, partition: partition, slots: 9, running: 0, lease: 30_000,
            services: [Sample.service])
    }

    private func enqueue(_ texts: String...) async {
        await attempt {
            let jobs = try texts.map { try Sample.job($0) }
            let outcomes = try await self.store?.enqueue(jobs, atomically: true)
            self.enqueued += outcomes?.compactMap(\.id) ?? []
        }
    }

    private func claimAndSettle() async {
        for (worker, partition) in [(worker, Partition.common), (server, .interactive)] {
            await attempt {
                guard let store = self.store, let worker else { return }
                let request = self.request(worker, partition)
                self.unsettled += try await store.claim(request).attempts.map(\.key)
            }
        }
        clock.advance(10)
        for key in unsettled {
            await attempt {
                let outcome = try await self.store?.settle(Sample.success(key))
                self.unsettled.removeAll { $0 == key }
                if outcome == .settled(.succeeded) { self.succeeded.append(key.job) }
            }
        }
    }

    /// Another process comes, writes, and copies the log as it goes.
    private func passBy() async {
        await attempt {
            let other = try await SQLiteDatabase(self.directory).openFile(clock: self.clock)
            await self.attempt {
                _ = try await other.createBatch(name: "b", metadata: nil)
            }
            await other.close()
        }
    }

    private func attempt(_ step: () async throws -> Void) async {
        do {
            try await step()
        } catch let error as JobStoreError {
            guard [.full, .unavailable].contains(error.code) else {
                return surprises.append("\(error.code): \(error.message)")
            }
        } catch {
            surprises.append("\(error)")
        }
    }
}
