import Foundation
import Glibc
import System
import Testing

import TestSupport

/// The pool that all tests share: what computes for long, or blocks, leaves it by `onThread`.
@Suite struct PoolTests {
    private static func thread() -> UInt { UInt(pthread_self()) }

    @Test func `threads of tests' own keep no task from the pool, however many block`() async throws {
        let count = 4 + ProcessInfo.processInfo.activeProcessorCount
        let gate = try EventFD(.semaphore)
        let (arrivals, arrive) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: UInt.self) { group in
            for _ in 0..<count {
                group.addTask {
                    try await onThread {
                        arrive.yield()
                        #expect(gate.rings(within: 10_000), "not all were there")
                        return Self.thread()
                    }
                }
            }
            for await _ in arrivals.prefix(count) {}
            gate.ring()
            let threads = try await group.reduce(into: Set<UInt>()) { $0.insert($1) }
            #expect(threads.count == count)
        }
    }

    @Test func `a task stays on its thread whatever it awaits, and so do its children`() async throws {
        try await onThread {
            let own = Self.thread()
            async let child = Self.thread()
            #expect(await child == own)
            let inner = try await onThread { Self.thread() }
            #expect(inner != own)
            try await Task.sleep(for: .milliseconds(1))
            #expect(Self.thread() == own)
        }
    }

    @Test(.onThread) func `a test's trait does the same`() async throws {
        let own = Self.thread()
        await Task.yield()
        #expect(Self.thread() == own)
        #expect(Test.current != nil)
    }
}
