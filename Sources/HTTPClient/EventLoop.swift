import CCurl
import Glibc
import System

/// What callers tell the event loop's thread; closing the mailbox ends it.
enum LoopCommand: Sendable {
    case start(Exchange, Delivery)
    case cancel(Exchange)
    case resume(Exchange)
    /// Its reader has all it wants: the rest is read only for the connection's sake.
    case conclude(Exchange)
}

/// The one thread that runs every transfer: a turn obeys callers, lets libcurl work, and waits for sockets.
///
/// Nothing here is shared: callers reach it through the mailbox only. Timeouts are found by looking through all
/// transfers when the soonest deadline has come, which costs microseconds for thousands and needs no timer each.
final class EventLoop {
    private let mailbox: Mailbox<LoopCommand>
    private let poll = Poll()
    private let multi: Multi
    private var transfers: [ObjectIdentifier: Transfer] = [:]
    private var admission: Admission<Transfer>
    private var spareHandles: [EasyHandle] = []
    private let mostSpareHandles: Int
    private let authorities: Authorities
    private var sweepAt = Int64.max

    /// Name lookups and handshakes at once with one origin: see `Admission`.
    private static let mostOpening = 64
    /// Deadlines are met this late at worst, so that a crowd of them costs one look and not one each.
    private static let sweepInterval: Int64 = 20

    /// Starts a loop on a thread of its own, which ends when the mailbox is closed.
    static func start(connections: Int, authorities: Authorities) -> Mailbox<LoopCommand> {
        do {
            let mailbox = try Mailbox<LoopCommand>(.polled)
            _ = try Thread(named: "http-client") {
                EventLoop(mailbox, connections: connections, authorities: authorities).run()
            }
            return mailbox
        } catch {
            preconditionFailure("no HTTP client: \(error)")
        }
    }

    private init(_ mailbox: Mailbox<LoopCommand>, connections: Int, authorities: Authorities) {
        self.mailbox = mailbox
        self.authorities = authorities
        multi = Multi(connections: connections, poll: poll)
        admission = Admission(connections: connections, opening: Self.mostOpening)
        mostSpareHandles = connections
        poll.watch(mailbox.event.descriptor, for: EPOLLIN.rawValue)
    }

    private func run() {
        while obeyAll() {
            multi.advanceIfDue()
            while let (transfer, result) = multi.nextFinished() {
                finish(transfer, transfer.error(for: result))
            }
            sweepIfDue()
            admit()
            wait()
        }
        closeDown()
    }

    private func wait() {
        let soonest = min(multi.dueAt, sweepAt)
        let delay = soonest == .max ? -1 : max(0, min(soonest - monotonicMilliseconds(), 60_000))
        for (descriptor, events) in poll.wait(milliseconds: Int32(delay)) {
            if descriptor == mailbox.event.descriptor {
                mailbox.event.clear()
            } else {
                multi.advance(descriptor, events)
            }
        }
    }

    // MARK: callers' commands

    /// False once the mailbox is closed.
    private func obeyAll() -> Bool {
        while let commands = mailbox.takeAll() {
            if commands.isEmpty { return true }
            for command in commands { obey(command) }
        }
        return false
    }

    private func obey(_ command: LoopCommand) {
        switch command {
        case .start(let exchange, let delivery): enqueue(exchange, delivery)
        case .cancel(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }
            finish(transfer, transfer.error(.cancelled, "cancelled by the caller"))
        case .conclude(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)] else { return }
            transfer.deadlines.conclude(now: monotonicMilliseconds())
            deadlineChanged(transfer)
        case .resume(let exchange):
            guard let transfer = transfers[ObjectIdentifier(exchange)], let easy = transfer.easy else {
                return
            }
            transfer.deadlines.resumed(now: monotonicMilliseconds())
            deadlineChanged(transfer)
            // May call back at once with what was held; the reader may be behind again by the end of it.
            let result = curl_easy_pause(easy.pointer, CURLPAUSE_CONT)
            if result != CURLE_OK { finish(transfer, transfer.error(for: result)) }
        }
    }

    private func enqueue(_ exchange: Exchange, _ delivery: Delivery) {
        let transfer = Transfer(exchange, delivery, loop: self, now: monotonicMilliseconds())
        guard !exchange.isCancelled else {
            return transfer.end(transfer.error(.cancelled, "cancelled by the caller"))
        }
        transfers[ObjectIdentifier(exchange)] = transfer
        deadlineChanged(transfer)
        admission.enqueue(transfer, origin: transfer.origin)
    }

    // MARK: the life of a transfer

    private func admit() {
        while let transfer = admission.next() {
            guard !transfer.isEnded else {
                admission.closed(origin: transfer.origin, whileOpening: true)
                continue
            }
            let easy = spareHandles.popLast() ?? EasyHandle()
            transfer.easy = easy
            transfer.isOpening = true
            let refusal = easy.prepare(
                transfer.exchange.request, authorities, owner: multi.reference(transfer))
            if refusal != CURLE_OK {
                finish(transfer, transfer.error(for: refusal))
            } else {
                multi.add(easy)
            }
        }
    }

    private func finish(_ transfer: Transfer, _ error: HTTPClientError?) {
        transfers[ObjectIdentifier(transfer.exchange)] = nil
        transfer.isEnded = true
        if let easy = transfer.easy.take() {
            // Closes the connection at once unless the answer was whole.
            multi.remove(easy)
            easy.reset()
            // After a failure libcurl can refuse a handle's options: it keeps the buffer of a call that met no connection.
            if error == nil, spareHandles.count < mostSpareHandles { spareHandles.append(easy) }
            admission.closed(origin: transfer.origin, whileOpening: transfer.isOpening)
        }
        transfer.end(error)
    }

    /// A transfer has got through to its server, as it tells from within libcurl.
    func opened(_ transfer: Transfer) {
        guard transfer.isOpening else { return }
        transfer.isOpening = false
        admission.opened(origin: transfer.origin)
    }

    func deadlineChanged(_ transfer: Transfer) {
        sweepAt = min(sweepAt, transfer.deadlines.next.at)
    }

    private func sweepIfDue() {
        let now = monotonicMilliseconds()
        guard sweepAt <= now else { return }
        sweepAt = .max
        for transfer in Array(transfers.values) {
            let (at, code) = transfer.deadlines.next
            if at <= now {
                finish(transfer, transfer.error(code, transfer.deadlines.description(of: code)))
            } else {
                sweepAt = min(sweepAt, at)
            }
        }
        sweepAt = max(sweepAt, now + Self.sweepInterval)
    }

    private func closeDown() {
        for transfer in Array(transfers.values) {
            finish(transfer, transfer.error(.cancelled, HTTPClientError.shutDown.message))
        }
        multi.close()
    }
}
