import CMicroHTTPD
import Glibc

/// Connections come and go; above the limits the longest idle makes room, and if there is none the answer is 503.
extension ServerLoop {
    /// Connections above the limit that are kept for their 503; further ones get it before they have asked.
    static let surplusLimit = 64

    /// How soon a connection above the limit must have sent its request.
    private static let surplusDeadline: Int64 = 2000

    /// Below this an idle connection is not closed for another's sake: its next request may be on its way.
    private static let evictableAge: Int64 = 1000

    /// Looking for idle connections visits all of them, so it is not done for each new one.
    private static let evictionInterval: Int64 = 100

    func accepted(_ handle: OpaquePointer) -> Connection {
        let connection = Connection(id: nextID(), handle: handle)
        connections[connection.id] = connection
        perNetwork[connection.network, default: 0] += 1
        connection.idleSince = now
        setDeadline(now + configuration.headerDeadline.milliseconds, for: connection)
        watchHangUp(of: connection)
        if isOverLimit(connection), !evict(near: connection) { hold(connection) }
        return connection
    }

    func closed(_ connection: Connection) {
        connections[connection.id] = nil
        if connection.isSurplus { surplus -= 1 }
        guard let count = perNetwork[connection.network] else { return }
        perNetwork[connection.network] = count > 1 ? count - 1 : nil
    }

    func isOverLimit(_ connection: Connection) -> Bool {
        connections.count > configuration.connectionLimit || isOverItsShare(connection)
    }

    private func isOverItsShare(_ connection: Connection) -> Bool {
        perNetwork[connection.network, default: 0] > configuration.perAddressLimit
    }

    /// Counts it as surplus; one too many even for that is answered past MHD, at once.
    private func hold(_ connection: Connection) {
        connection.isSurplus = true
        surplus += 1
        if surplus > Self.surplusLimit {
            answerPastMHD(.tooManyConnections, on: connection)
            connection.cut()
        } else {
            setDeadline(now + Self.surplusDeadline, for: connection)
        }
    }

    /// True when an idle connection was cut; it is gone after this turn.
    private func evict(near newcomer: Connection) -> Bool {
        let onlyItsNetwork = isOverItsShare(newcomer)
        if evictable.isEmpty || onlyItsNetwork, now - evictableSince >= Self.evictionInterval {
            findEvictable()
        }
        let wanted = evictable.lastIndex {
            isEvictable($0) && (!onlyItsNetwork || $0.network == newcomer.network)
        }
        guard let wanted else { return false }
        let connection = evictable.remove(at: wanted)
        connection.idleSince = nil
        connection.cut()
        return true
    }

    private func findEvictable() {
        evictableSince = now
        evictable = connections.values.filter(isEvictable).sorted {
            ($0.idleSince ?? 0) > ($1.idleSince ?? 0)
        }
    }

    private func isEvictable(_ connection: Connection) -> Bool {
        guard let since = connection.idleSince, connections[connection.id] != nil else { return false }
        return now - since >= Self.evictableAge
    }

    func answerPastMHD(_ refusal: Refusal, on connection: Connection) {
        let head = connection.exchange?.head
        let response = handler.refuse(refusal, head: head)
        connection.send(ReplyBody.bytes(response, id: head?.id ?? requestIDs.next()))
    }

    /// A deadline has passed: for headers, a body, or the next request.
    func expired(_ connection: Connection) {
        connection.deadline = .max
        guard let exchange = connection.exchange else {
            // Between requests silence is not a failure, but the first request was promised by connecting.
            if connection.isFresh { answerPastMHD(.timeout, on: connection) }
            return connection.cut()
        }
        switch exchange.stage {
        case .opening:
            answerPastMHD(.timeout, on: connection)
            connection.cut()
        case .collecting, .streaming, .draining: bodyExpired(exchange)
        case .lingering: connection.cut()
        case .waiting, .answering: break
        }
    }

    private func bodyExpired(_ exchange: Exchange) {
        let size = Int64(exchange.received) * 1000 / Int64(max(1, configuration.minimumBodyRate))
        let allowed = exchange.bodySince + configuration.bodyDeadline.milliseconds + size
        if exchange.isSuspended {
            // It waits for the handler, not for the client.
            setDeadline(now + configuration.bodyDeadline.milliseconds, for: exchange.connection)
        } else if allowed > now {
            setDeadline(allowed, for: exchange.connection)
        } else {
            answerPastMHD(.timeout, on: exchange.connection)
            exchange.connection.cut()
        }
    }
}
