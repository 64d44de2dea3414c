import Synchronization
import System
import Testing

@Suite struct MailboxTests {
    @Test func `What was posted before the end is handed out, and nothing after it`() throws {
        let mailbox = try Mailbox<Int>(.semaphore)
        mailbox.post(1)
        mailbox.post(2)
        mailbox.close()
        #expect(mailbox.post(3) == .closed)
        #expect(mailbox.take(atMost: 1) == [1] && mailbox.take(atMost: 9) == [2])
        #expect(mailbox.take(atMost: 1) == nil)
    }

    @Test func `A full mailbox refuses, until something is taken`() throws {
        let mailbox = try Mailbox<Int>(.semaphore, limit: 2)
        #expect(mailbox.post(1) == nil && mailbox.post(2) == nil && mailbox.post(3) == .overloaded)
        #expect(mailbox.take(atMost: 1) == [1] && mailbox.post(4) == nil && mailbox.count == 2)
    }

    @Test func `Sleeping threads get each message once`() async throws {
        let mailbox = try Mailbox<Int>(.semaphore)
        let sum = Atomic(0)
        var threads: [Thread] = []
        for _ in 1...3 {
            threads.append(
                try Thread(named: "test-reader-with-a-long-name") { @Sendable in
                    while let numbers = mailbox.take(atMost: 1) {
                        for number in numbers { sum.add(number, ordering: .relaxed) }
                    }
                })
        }
        for number in 1...1000 { mailbox.post(number) }
        mailbox.close()
        for thread in threads { await thread.end() }
        #expect(sum.load(ordering: .relaxed) == 500_500)
    }

    @Test func `A timeout takes nothing, and loses no later message`() throws {
        let mailbox = try Mailbox<Int>(.semaphore)
        #expect(mailbox.take(atMost: 1, within: 1) == [])
        mailbox.post(1)
        #expect(mailbox.take(atMost: 1, within: 1) == [1])
    }

    @Test func `A poll is rung once for many messages, and not while its thread is awake`() throws {
        let mailbox = try Mailbox<Int>(.polled)
        #expect(!mailbox.event.rings(within: 0))
        mailbox.post(1)
        mailbox.post(2)
        #expect(mailbox.event.rings(within: 0))
        mailbox.event.clear()
        #expect(!mailbox.event.rings(within: 0))
        #expect(mailbox.takeAll() == [1, 2])
        mailbox.post(3)
        #expect(!mailbox.event.rings(within: 0), "the thread has not yet found nothing")
        #expect(mailbox.takeAll() == [3] && mailbox.takeAll() == [])
        mailbox.stayAwake()
        mailbox.post(4)
        #expect(!mailbox.event.rings(within: 0))
        mailbox.yield()
        #expect(mailbox.event.rings(within: 0))
        mailbox.close()
        #expect(mailbox.takeAll() == [4] && mailbox.takeAll() == nil)
    }
}
