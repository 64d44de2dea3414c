package import Testing

/// Runs what computes for more than a second, or blocks, on a thread of its own.
///
/// The pool has as many threads as there are cores: two tests that keep them stop every other test. It is the same task, so
/// that what the body expects counts for its test, and child tasks run there too. Throws what the body throws, and if the
/// system has no thread left.
package func onThread<T>(_ body: () async throws -> T) async throws -> T {
    let executor = try ThreadExecutor()
    defer { executor.end() }
    return try await withTaskExecutorPreference(executor) {
        // A task goes where it prefers to be when it next goes on.
        await Task.yield()
        return try await body()
    }
}

/// Runs each case of a test, or of every test of a suite, by `onThread`.
package struct OnThread: TestTrait, SuiteTrait, TestScoping {
    package let isRecursive = true

    package func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await TestSupport.onThread { try await function() }
    }
}

extension Trait where Self == OnThread {
    /// For what computes for more than a second in a debug build, or blocks.
    package static var onThread: Self { Self() }
}
