import Foundation
import System
import Testing

@Suite(.serialized) struct ProcessTests {
    @Test func `the clocks agree with the system's and keep one boot id`() {
        let clock = SystemClock()
        #expect(abs(Double(clock.timestampMilliseconds()) - Date().timeIntervalSince1970 * 1_000) < 5_000)
        let earlier = clock.uptimeMilliseconds()
        #expect(earlier > 0)
        #expect(clock.uptimeMilliseconds() >= earlier)
        #expect(clock.bootID == SystemClock().bootID)
        #expect(clock.bootID != 0)
    }

    @Test func `the process knows itself`() {
        #expect(processID == ProcessInfo.processInfo.processIdentifier)
        #expect(!hostName().isEmpty)
        #expect(processCPUSeconds() > 0)
    }

    @Test func `the file limit rises to what is allowed, and stays when asked again`() {
        let limit = raiseFileLimit()
        #expect(limit >= 256)
        #expect(raiseFileLimit() == limit)
    }

    @Test func `environment variables are nil, empty or their text`() {
        setenv("RENGA_SYSTEM_TEST", "", 1)
        #expect(environmentVariable("RENGA_SYSTEM_TEST") == "")
        setenv("RENGA_SYSTEM_TEST", "é", 1)
        #expect(environmentVariable("RENGA_SYSTEM_TEST") == "é")
        unsetenv("RENGA_SYSTEM_TEST")
        #expect(environmentVariable("RENGA_SYSTEM_TEST") == nil)
    }

    @Test func `a file is no terminal`() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        #expect(!isTerminal(ends[0]))
        #expect(terminalWidth(ends[0]) == nil)
        close(ends[0])
        close(ends[1])
    }

    @Test(.timeLimit(.minutes(1))) func `signals come as values to every stream that asked`() async {
        for _ in 0..<20 {
            var first = Signals.stream([SIGUSR1, SIGUSR2]).makeAsyncIterator()
            var second = Signals.stream([SIGUSR2]).makeAsyncIterator()
            kill(getpid(), SIGUSR1)
            #expect(await first.next() == SIGUSR1)
            kill(getpid(), SIGUSR2)
            #expect(await first.next() == SIGUSR2)
            #expect(await second.next() == SIGUSR2)
        }
    }

    @Test func `a write to a closed pipe is an error, not the end`() throws {
        _ = Signals.stream([])
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        let error = #expect(throws: SystemError.self) { try writeAll(ends[1], [1]) }
        #expect(error?.code == EPIPE)
        close(ends[1])
    }
}
