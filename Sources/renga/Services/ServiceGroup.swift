import System
import Telemetry

/// A part of the program that runs until its task is cancelled, and then ends in order.
struct Service: Sendable {
    var name: String
    var run: @Sendable () async throws -> Void
}

/// Runs services side by side until a signal comes or one of them ends.
struct ServiceGroup: Sendable {
    let log: Log

    /// Returns when all have ended.
    ///
    /// Of errors the first one counts: it stops the others.
    /// The first SIGTERM or SIGINT asks all to end in order; a second one ends the process at once.
    /// A service manager (systemd) hears when they run, and when they stop.
    func run(_ services: [Service]) async throws {
        let signals = Signals.stream(Signals.endings)
        let manager = ServiceManager()
        var failure: (any Error)?
        await withTaskGroup(of: Ending.self) { group in
            for service in services {
                group.addTask { await end(of: service) }
            }
            let listening = Task { await listen(to: signals) }
            group.addTask {
                await listening.value
                return .signal
            }
            tell(manager, .ready)
            reassure(manager)
            var left = services.count
            var isStopping = false
            while left > 0, let ending = await group.next() {
                if !isStopping { tell(manager, .stopping) }
                isStopping = true
                if case .failed(let error) = ending { failure = failure ?? error }
                if case .signal = ending {} else { left -= 1 }
                group.cancelAll()
            }
            listening.cancel()
        }
        if let failure { throw failure }
    }

    private func tell(_ manager: ServiceManager?, _ word: ServiceManager.Word) {
        do {
            try manager?.tell(word)
        } catch {
            log.warning(
                "the service manager did not hear", ["word": "\(word.rawValue)", "error": "\(error)"])
        }
    }

    /// Tells a watchdog that tasks run, until the process ends: stopping and closing the database are watched too.
    private func reassure(_ manager: ServiceManager?) {
        guard let manager, let patience = manager.patience else { return }
        Task {
            while true {
                tell(manager, .alive)
                try? await Task.sleep(for: patience / 2)
            }
        }
    }

    private enum Ending: Sendable {
        case ended
        case failed(any Error)
        case signal
    }

    private func end(of service: Service) async -> Ending {
        do {
            try await service.run()
            return .ended
        } catch is CancellationError {
            return .ended
        } catch {
            log.error("a service failed", ["service": "\(service.name)", "error": "\(error)"])
            return .failed(error)
        }
    }

    /// Returns at the first signal; goes on listening for a second one on its own.
    private func listen(to signals: AsyncStream<Int32>) async {
        var iterator = signals.makeAsyncIterator()
        guard let signal = await iterator.next() else { return }
        log.info("stopping", ["signal": .int(Int(signal))])
        Task {
            for await _ in signals {
                log.warning("stopped at once by a second signal")
                exitProcess(ExitStatus.failed.rawValue)
            }
        }
    }
}

/// Suspends until the task is cancelled.
func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    continuation.finish()
}
